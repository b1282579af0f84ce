// All reference cases through the kernels for GPUs, run by the emulator.

import { testConformance } from './agree.js';

testConformance('cuda-emulated');
