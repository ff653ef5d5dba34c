import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export type CommandName = 'dump' | 'status' | 'undeploy';

type Program = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a command in an environment that has nothing of AWS but this. */
export function startCommand(name: CommandName, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Program {
  return spawn(process.execPath, [`operator/${name}/main.ts`, ...args], {
    env: { PATH: process.env.PATH, HOME: devNull, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Resolves when a command has ended. @returns its exit status, standard output and standard error */
export async function ended(program: Program): Promise<readonly [number | null, string, string]> {
  const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'close')]);
  return [program.exitCode, stdout, stderr];
}
