// Every stage of every example prints as text that reads back to the same program, and no pass changes a value.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { parseProgram } from '../../compiler/ir/parse.js';
import { printProgram } from '../../compiler/ir/print.js';
import { defaultPipeline, pipelineSteps, replayPasses } from '../../compiler/pipeline.js';
import { examples } from './examples.js';

const test = suite('stages of the examples');

for (const { name, file } of examples) {
  test(`${name}: every stage reads back`, () => {
    const { stages } = lower(loadProgram(file));
    assert.equal([...stages.keys()], ['lower', ...pipelineSteps(defaultPipeline).map((step) => step.name)]);
    for (const [stage, program] of stages) {
      const text = printProgram(program);
      assert.is(printProgram(parseProgram(text)), text, stage);
    }
  });

  test(`${name}: no pass changes a value`, () => {
    for (const { pass, failure } of replayPasses(loadProgram(file), 1))
      assert.is(failure, undefined, `${pass}: ${failure}`);
  });
}

test.run();
