// Automatic differentiation: gradients, products with Jacobians, loops, second derivatives, and how to check one
import { writeFileSync } from 'node:fs';
import { Tensor } from 'tdsl';
import { linePlot } from 'tdsl/train';
import { show } from '../show.ts';
import { create } from './build/autograd/index.js';

const s = await create();

show({ 'gradient of 2 x · x at 0, 1, 2, 3': s.ofSquare({ x: [0, 1, 2, 3] }) });

const [value, gradient] = s.withValue({ x: Tensor.ones([2, 2]) });
show({ 'mean(3 (x + 2)²) at ones': value, 'its gradient': gradient });

// The line through (1, 3) and (2, 5) is 2 x + 1. Away from it the gradient points uphill, on it there is none.
const points = { x: [1, 2], y: [3, 5] };
show({
  'at w = 1, b = 0': s.ofLine({ w: 1, b: 0, ...points }),
  'at w = 2, b = 1': s.ofLine({ w: 2, b: 1, ...points }),
});

// The Jacobian of x² is diagonal, so the products from the left and from the right are the same here.
const vectors = { x: [1, 2, 3], v: [1, 0.1, 0.01] };
show({ 'v times the Jacobian of x²': s.weighted(vectors), 'the Jacobian times v': s.along(vectors) });

for (const i of [1, 2]) show({ [`gradient of softmax(a)[${i}]`]: s.ofProbability({ a: [1, 2, 3], i }) });

show({ 'gradient of x · stop_gradient(x) at 3': s.detached({ x: [3] }) });

for (const a of [0.3, -0.3]) {
  const [result, slope] = s.throughALoop({ a });
  show({ [`f(${a}) by doubling`]: result, 'its gradient': slope, 'f(a) / a': result.item() / a });
}

const [cosine, minusSine, minusCosine] = s.ofSine({ x: [0, 1] });
show({ 'derivatives of sin at 0 and 1': cosine, second: minusSine, third: minusCosine });

const x = Tensor.linspace(-6, 6, 121);
const curves = s.activations({ x });
const names = ['sigmoid', 'tanh', 'relu', 'leaky relu'];
show({ 'largest slope of sigmoid': Math.max(...curves[0][1].data), 'of tanh': Math.max(...curves[1][1].data) });
for (const [which, title] of ['activation functions', 'their derivatives'].entries()) {
  const lines = curves.map((curve, i) => ({ name: names[i]!, x: x.data, y: curve[which]!.data }));
  writeFileSync(new URL(`build/${title.replace(' ', '-')}.svg`, import.meta.url), linePlot(lines, { title }));
}

// The error of the quotient first falls with h, then rounding makes it grow.
for (const h of [1e-2, 1e-4, 1e-6, 1e-10]) {
  const [derivative, quotient] = s.checked({ x: 0.7, h });
  show({ [`error of the quotient for h = ${h}`]: Math.abs(derivative.item() - quotient.item()) });
}
