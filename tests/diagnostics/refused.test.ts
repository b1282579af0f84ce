// Every rule of an operation about shapes, dtypes, ranges and names is checked when compiling: the calls in `refused.txt` are refused, each
// with a report that names the place and mentions what matters, as the sizes that do not agree.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../cli/host.js';
import { packageRoot } from '../../cli/package.js';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import { compileExpression, type ExpressionInput, Workspace } from '../../compiler/index.js';
import { dimConst } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';

const workspace = new Workspace(nodeHost());

/** `x f32[2,3], i i64[2]` as inputs. */
function inputsOf(text: string): readonly ExpressionInput[] {
  return [...text.matchAll(/(\w+) (\w+)\[([\d,]*)\]/g)].map(([, name = '', dtype, sizes = '']) => ({
    name,
    type: { dtype: dtype as DType, shape: sizes === '' ? [] : sizes.split(',').map((size) => dimConst(Number(size))) },
  }));
}

/** What is wrong with the report about a call, or undefined. */
function fault(line: string): string | undefined {
  const [expr = '', inputs = '', words = ''] = line.split('|').map((part) => part.trim());
  const { diagnostics } = compileExpression(expr, inputsOf(inputs), workspace);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const text = errors.map((error) => renderDiagnostic(error)).join('\n');
  if (errors.length === 0) return `${line}\n  is accepted`;
  // The program's own text is printed too: what the report says is what counts.
  const said = errors.flatMap(({ message, label, notes = [], help }) => [
    message,
    label ?? '',
    ...notes.map((note) => note.text),
    help ?? '',
  ]);
  const missing = words.split(', ').filter((word) => word !== '' && !said.join('\n').includes(word));
  if (errors.some(({ code }) => code.startsWith('B'))) return `${line}\n  is a bug:\n${text}`;
  return missing.length === 0 ? undefined : `${line}\n  lacks ${missing.join(', ')}:\n${text}`;
}

const refused = suite('invalid calls');
const file = readFileSync(path.join(packageRoot, 'tests', 'diagnostics', 'refused.txt'), 'utf8');

for (const section of file.split(/^## /m).slice(1)) {
  const [title = '', ...lines] = section.split('\n').filter((line) => line.trim() !== '');
  refused(title, () => {
    assert.is(
      lines
        .map(fault)
        .filter((found) => found !== undefined)
        .join('\n\n'),
      '',
    );
  });
}

refused.run();
