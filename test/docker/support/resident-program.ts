import { EXIT_STATUS } from '../../../contract.ts';
import { report, runCommand } from '../../../docker/run-command.ts';
import type { Command } from './resident-programs.ts';

/** By the command that runs. */
let written = { stdout: '', stderr: '' };
let running = new AbortController();

for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array) => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
}

process.on('uncaughtException', (error) => {
  running.abort(error);
});

process.on('message', ({ args, programFile, environment }: Command) => {
  written = { stdout: '', stderr: '' };
  running = new AbortController();
  for (const name of Object.keys(process.env)) {
    Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, environment);
  void runCommand(args, programFile, running.signal)
    .then(() => EXIT_STATUS.done, report)
    .then((status) => process.send?.({ status, ...written }));
});
