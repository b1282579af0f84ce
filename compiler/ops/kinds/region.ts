// Nodes that carry functions. Their makers give the types; passes expand them before derivatives are taken.

import type { KindRules } from '../op.js';
import { fail } from './check.js';

export const regionRules: KindRules<'region'> = {
  kind: 'region',
  infer: ({ region }) => fail(region.type, 'is typed by the function it carries: build it with Builder.region'),
  jvp: ({ region }) => fail(region.type, 'must be expanded before its derivative is taken'),
};
