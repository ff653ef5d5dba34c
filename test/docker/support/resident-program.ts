import { writeSync } from 'node:fs';
import { EXIT_STATUS } from '../../../contract.ts';
import { report, runCommand } from '../../../docker/run-command.ts';
import type { Command } from './resident-programs.ts';

/** By the command that runs. */
let written = { stdout: '', stderr: '' };

for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array) => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
}

// No command may leave anything behind that fails: the parent then reports that this process has ended.
process.on('uncaughtException', (error) => {
  writeSync(2, `${error.stack}\n`);
  process.exit(1);
});

process.on('message', ({ args, programFile, environment }: Command) => {
  written = { stdout: '', stderr: '' };
  for (const name of Object.keys(process.env)) {
    Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, environment);
  void runCommand(args, programFile, new AbortController().signal)
    .then(() => EXIT_STATUS.done, report)
    .then((status) => process.send?.({ status, ...written }));
});
