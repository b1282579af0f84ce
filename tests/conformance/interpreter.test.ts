// All reference cases through the interpreter.

import { testConformance } from './agree.js';

testConformance('interpreter');
