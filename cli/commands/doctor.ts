// `tdsl doctor`: what this machine lacks for compiling, and how to get it. What GPUs need is told, and is no failure.

import type { Command } from 'commander';
import { CommandError, exitStatus } from '../errors.js';

async function doctor(): Promise<void> {
  const { diagnose, formatFinding } = await import('../../codegen/build/doctor.js');
  const { diagnoseGpu } = await import('../../codegen/build/doctor-gpu.js');
  const [findings, gpu] = await Promise.all([diagnose(), diagnoseGpu()]);
  for (const finding of [...findings, ...gpu]) process.stdout.write(`${formatFinding(finding)}\n`);
  const missing = findings.filter(({ ok }) => !ok).length;
  if (missing > 0) throw new CommandError(exitStatus.machine, `${missing} of ${findings.length} things are missing`);
}

export function addDoctor(program: Command): void {
  program.command('doctor').description('tell what this machine lacks for compiling, and how to get it').action(doctor);
}
