import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program without a shell, and hands on each line that it writes, to wherever. @returns its exit status */
export async function command(
  program: string,
  args: readonly string[],
  said: (line: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', said);
  }
  await once(child, 'close');
  return child.exitCode ?? -1;
}

/** What a program that must end well wrote to its standard output. @throws {Error} with all that it said otherwise */
export async function demand(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const { stdout } = await execute(program, args, { env: environment, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** Whether a program is there and ends well. */
export async function works(program: string, ...args: readonly string[]): Promise<boolean> {
  return demand(program, args).then(
    () => true,
    () => false,
  );
}
