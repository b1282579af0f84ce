// npm run gpt: trains the small GPT of gpt.td on Shakespeare and lets it write.

import { type Method, Tensor, type TensorInput } from '../../runtime/index.js';
import { vocabulary } from './corpus.js';
import { type Choices, run, type TextModel } from './learn.js';

interface Gpt extends TextModel {
  readonly next: Method<
    { text: TensorInput<'i64', ['T']>; temperature: TensorInput<'f32', []>; top_k: TensorInput<'i64', []> },
    Tensor<'i64', []>
  >;
}

/** The model sees this many characters at a time. */
const CONTEXT = 64;

function* write(model: Gpt, start: string, { length, temperature, topK }: Choices): Generator<string> {
  const numbers = [...vocabulary.encode(start).data];
  for (let i = 0; i < length; i++) {
    const text = BigInt64Array.from(numbers.slice(-CONTEXT));
    const character = model.next({ text: new Tensor('i64', [text.length], text), temperature, top_k: topK });
    yield vocabulary.decode(character);
    numbers.push(...character.data);
  }
}

await run('gpt', 2000, write);
