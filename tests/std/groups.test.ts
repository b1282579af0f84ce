// Groups of parameters: an optimizer with groups is as several optimizers, each for its group, as in PyTorch. All optimizers work on each
// parameter by itself, so that this is the definition.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/api.js';
import type { Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';

type Both = Session & {
  readonly together: Method<{ gw: Tensor; gb: Tensor }, [Tensor, Tensor]>;
  readonly apart: Method<{ gw: Tensor; gb: Tensor }, [Tensor, Tensor]>;
  readonly opt: { lr: number };
  readonly opt_w: { lr: number };
  readonly opt_b: { lr: number };
};

const program = (optimizer: string, settings: string) => ({
  text: `
import std.optim { ${optimizer} }
model Body { param weight: f32[3] = ones\n param bias: f32[2] = ones }
model Net { body: Body }
model Weight { param weight: f32[3] = ones }
model Bias { param bias: f32[2] = ones }
export fn together(
  net: mut Net,
  opt: mut ${optimizer}(net, lr: 0.1, weight_decay: 0.05${settings},
    groups: [{ params: path => ends_with(path, "bias"), weight_decay: 0.0, lr: 0.02 }]),
  gw: f32[3], gb: f32[2],
) -> (f32[3], f32[2]) {
  opt.step(net, { body: { weight: gw, bias: gb } })
  (net.body.weight, net.body.bias)
}
export fn apart(
  w: mut Weight, b: mut Bias,
  opt_w: mut ${optimizer}(w, lr: 0.1, weight_decay: 0.05${settings}),
  opt_b: mut ${optimizer}(b, lr: 0.02, weight_decay: 0.0${settings}),
  gw: f32[3], gb: f32[2],
) -> (f32[3], f32[2]) {
  opt_w.step(w, { weight: gw })
  opt_b.step(b, { bias: gb })
  (w.weight, b.bias)
}
`,
});

for (const [optimizer, settings] of [
  ['SGD', ''],
  ['SGD', ', momentum: 0.9, nesterov: true'],
  ['SGD', ', momentum: 0.9, dampening: 0.5'],
  ['Adam', ''],
  ['Adam', ', amsgrad: true'],
  ['AdamW', ''],
  ['AdamW', ', amsgrad: true'],
  ['Adamax', ''],
  ['NAdam', ''],
  ['RMSprop', ''],
  ['RMSprop', ', momentum: 0.5, centered: true'],
  ['Adagrad', ', lr_decay: 0.1'],
  ['Adadelta', ''],
] as const) {
  test(`${optimizer}${settings}: groups are as optimizers of their own`, async () => {
    const s = await interpret<Both>(program(optimizer, settings));
    for (let i = 1; i <= 3; i++) {
      const gw = Tensor.from([0.5 * i, -1, 0.25], { dtype: 'f32' });
      const gb = Tensor.from([i, -0.5], { dtype: 'f32' });
      if (i === 3) {
        // A group's rate keeps its proportion to that of the optimizer.
        s.opt.lr *= 0.5;
        s.opt_w.lr *= 0.5;
        s.opt_b.lr *= 0.5;
      }
      const [together, apart] = [s.together({ gw, gb }), s.apart({ gw, gb })];
      for (const k of [0, 1] as const)
        assert.ok(together[k].allClose(apart[k], { rtol: 1e-6 }), `${together[k]} ${apart[k]}`);
    }
  });
}

const refusal = (groups: string) =>
  interpret({
    text: `
import std.nn { Linear }
import std.optim { SGD }
export fn step(net: mut Linear(2, 1), opt: mut SGD(net, lr: 0.1, groups: ${groups}), g: f32[1, 2], b: f32[1]) -> f32 {
  opt.step(net, { weight: g, bias: b })
  0.0
}
`,
  }).then(String, String);

test('groups that are none are refused', async () => {
  assert.match(
    await refusal('[{ params: ["weigth"], lr: 0.2 }]'),
    /group 0 of the optimizer has no parameter; there are \[weight, bias\]/,
  );
  assert.match(await refusal('[{ params: ["weight"], momentum: 0.2 }]'), /params, lr and weight_decay, not momentum/);
  assert.match(await refusal('[{ params: ["weight"], lr: 0.2 }, { params: ["bias"] }]'), /Session|object/);
});

test('an optimizer of a part trains that part alone, and a group of rate 0 is frozen', async () => {
  const s = await interpret<Session & { step: Method<{ x: Tensor }, Tensor>; freeze: Method<{ x: Tensor }, Tensor> }>({
    text: `
import std.nn { Linear }
import std.optim { SGD }
model Net { body: Linear(2, 2)\n head: Linear(2, 1)\n fn forward(x: f32[1, 2]) -> f32[1, 1] = head(body(x)) }
fn loss(net: Net, x: f32[1, 2]) -> f32 = sum(net(x) ** 2)
export fn step(net: mut Net, opt: mut SGD(net.head, lr: 0.1), x: f32[1, 2]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x)
  opt.step(net.head, g.head)
  l
}
export fn freeze(net: mut Net, all: mut SGD(net, lr: 0.1, groups: [{ params: ["body"], lr: 0.0 }]), x: f32[1, 2]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x)
  all.step(net, g)
  l
}
`,
  });
  const names = (before: Record<string, Tensor>) =>
    Object.entries(s.stateDict({ root: 'net' })).flatMap(([name, tensor]) =>
      tensor.equals(before[name]!) ? [] : [name],
    );
  const copy = () =>
    Object.fromEntries(Object.entries(s.stateDict({ root: 'net' })).map(([name, t]) => [name, t.clone()]));
  for (const method of ['step', 'freeze'] as const) {
    const before = copy();
    s[method]({ x: Tensor.from([[1, 2]], { dtype: 'f32' }) });
    assert.equal(names(before), ['head.weight', 'head.bias']);
  }
});

test.run();
