// Host functions of the reference cases about saving and loading.

import { DTYPES, decodeSafetensors, encodeSafetensors, type Method, type Session, Tensor } from 'tdsl';
import { interpret } from 'tdsl/compile';

const roundTrip = (tensors: Readonly<Record<string, Tensor>>) =>
  decodeSafetensors(encodeSafetensors({ tensors })).tensors;
const listed = (tensor: Tensor) => [`torch.${DTYPES[tensor.dtype].torch}`, tensor.toArray()];

export const save_load_roundtrip_list = () =>
  Object.values(roundTrip({ 0: Tensor.arange(4), 1: Tensor.zeros([4]) })).map(listed);

export const save_load_roundtrip_dict = () =>
  Object.fromEntries(
    Object.entries(roundTrip({ x: Tensor.arange(4), y: Tensor.zeros([4]) })).map(([name, tensor]) => [
      name,
      listed(tensor),
    ]),
  );

interface LinearSession extends Session {
  readonly forward: Method<{ x: Tensor }, Tensor>;
}

/** Two layers from different seeds agree once one has the state of the other. */
export async function save_load_load_state_dict_equal_outputs(): Promise<unknown> {
  const text = `
import std.nn { Linear }
export fn forward(net: Linear(3, 2), x: f32[1, 3]) -> f32[1, 2] = net(x)
`;
  const [a, b] = await Promise.all([1, 2].map((seed) => interpret<LinearSession>({ text }, { seed })));
  if (a === undefined || b === undefined) throw new Error('there are two sessions');
  const x = Tensor.ones([1, 3]);
  const before = a.forward({ x }).equals(b.forward({ x }));
  b.loadStateDict(a.stateDict());
  return [before, a.forward({ x }).equals(b.forward({ x }))];
}

interface Descent extends Session {
  readonly net: { readonly w: Tensor };
  readonly step: Method<object, Tensor>;
}

/** Six steps of Adam, and three steps, the saved state in a new session, and three more. */
export async function save_load_resume_equals_continuous(): Promise<unknown> {
  const text = `
import std.optim { Adam }
model Net { param w: f32[2] = zeros }
fn loss(net: Net) -> f32 = sum((net.w - 3) ** 2)
export fn step(net: mut Net, opt: mut Adam(net, lr: 0.1)) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net)
  opt.step(net, g)
  l
}
`;
  const start = () => interpret<Descent>({ text }, { seed: 1 });
  const run = (session: Descent, steps: number) => {
    for (let i = 0; i < steps; i++) session.step({});
  };
  const [continuous, first, resumed] = [await start(), await start(), await start()];
  run(continuous, 6);
  run(first, 3);
  resumed.loadStateDict(roundTrip(first.stateDict()));
  run(resumed, 3);
  return continuous.net.w.equals(resumed.net.w);
}
