import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program without a shell, and passes on each line of its output and errors. @returns its exit status */
export async function runProgram(
  program: string,
  args: readonly string[],
  onLine: (line: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', onLine);
  }
  await once(child, 'close');
  return child.exitCode ?? -1;
}

/** Runs a program that must succeed. @returns its standard output. @throws {Error} with its output if it fails */
export async function outputOf(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const { stdout } = await execute(program, args, { env: environment, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** Whether a program exists and succeeds. */
export async function succeeds(program: string, ...args: readonly string[]): Promise<boolean> {
  return outputOf(program, args).then(
    () => true,
    () => false,
  );
}
