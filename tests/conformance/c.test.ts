// All reference cases through C.

import { testConformance } from './agree.js';

testConformance('c');
