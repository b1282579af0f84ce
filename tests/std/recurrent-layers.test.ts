// Recurrent layers against PyTorch's (tests/reference/recurrent_reference.py): names and order of the parameters, printed text, and outputs with
// PyTorch's weights.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/api.js';
import { packageRoot } from '../../cli/package.js';
import type { Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';

interface Elements {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const cases = JSON.parse(
  readFileSync(path.join(packageRoot, 'tests', 'samples', 'print', 'recurrent.json'), 'utf8'),
) as readonly {
  readonly layer: string;
  readonly text: string;
  readonly parameters: Readonly<Record<string, Elements>>;
  readonly inputs: readonly Elements[];
  readonly output: Elements;
}[];

const tensor = ({ shape, data }: Elements) => Tensor.from(data, { dtype: 'f32', shape });
const type = ({ shape }: Elements) => `f32[${shape.join(', ')}]`;

for (const { layer, text, parameters, inputs, output } of cases) {
  test(`${layer} has PyTorch's names, text and values`, async () => {
    const params = inputs.map((input, i) => `x${i}: ${type(input)}`).join(', ');
    const call = `net(${inputs.map((_, i) => `x${i}`).join(', ')})`;
    const s = await interpret<Session & { run: Method<Record<string, Tensor>, Tensor> }>({
      text: `
import std.nn { ${/^\w+/.exec(layer)?.[0]} }
export fn run(net: ${layer}, ${params}) -> ${type(output)} = ${call}${layer.includes('Cell') ? '' : '[0]'}
`,
    });
    assert.is(s.describeModel(), text);
    assert.equal(
      s.namedParameters({ root: 'net' }).map(([name, { shape }]) => [name, shape]),
      Object.entries(parameters).map(([name, { shape }]) => [name, shape]),
    );
    s.loadStateDict(Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, tensor(value)])), {
      root: 'net',
    });
    const got = s.run(Object.fromEntries(inputs.map((input, i) => [`x${i}`, tensor(input)])));
    assert.ok(got.allClose(tensor(output), { rtol: 1e-5, atol: 1e-6 }), `${got}`);
  });
}

test.run();
