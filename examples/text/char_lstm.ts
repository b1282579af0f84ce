// npm run char-lstm: trains the recurrent network of char_lstm.td on Shakespeare and lets it write.

import { type Method, Tensor, type TensorInput } from '../../runtime/index.js';
import { vocabulary } from './corpus.js';
import { type Choices, run, type TextModel } from './learn.js';

type State = Tensor<'f32', [1, 256]>;

interface CharLstm extends TextModel {
  readonly next: Method<
    {
      text: TensorInput<'i64', ['T']>;
      h: State;
      c: State;
      temperature: TensorInput<'f32', []>;
      top_k: TensorInput<'i64', []>;
    },
    [Tensor<'i64', []>, State, State]
  >;
}

/** The state of the network holds what it has read, so each character is read once. */
function* write(model: CharLstm, start: string, { length, temperature, topK }: Choices): Generator<string> {
  let text: Tensor<'i64', [number]> = vocabulary.encode(start);
  let [h, c]: [State, State] = [Tensor.zeros([1, 256]), Tensor.zeros([1, 256])];
  for (let i = 0; i < length; i++) {
    const [character, nextH, nextC] = model.next({ text, h, c, temperature, top_k: topK });
    yield vocabulary.decode(character);
    text = character.reshape([1]);
    [h, c] = [nextH, nextC];
  }
}

await run('char_lstm', 2000, write);
