import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { run } from '../../docker/process/child.ts';

/** pg_restore of version 17 and later sets this parameter, which older servers lack. */
const UNKNOWN = 'unrecognized configuration parameter "transaction_timeout"';

/**
 * Restores by pg_restore as one does by hand, but without statistics for the planner, which only servers from 18 on
 * take.
 *
 * @param input the archive, unless the arguments name it
 * @throws {Error} with what pg_restore said, if there was any other error than that of an unknown parameter
 */
export async function pgRestore(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Buffer> | readonly Buffer[] = [],
): Promise<void> {
  const { signal } = new AbortController();
  const { stdout: help } = await promisify(execFile)(program, ['--help'], { env: environment });
  const options = ['--no-statistics'].filter((option) => help.includes(option));
  const { status, lastLines } = await run(program, [...options, ...args], { environment, input, signal });
  const errors = lastLines.filter((line) => line.startsWith('pg_restore: error:'));
  const isHarmless = status === 1 && errors.length > 0 && errors.every((line) => line.includes(UNKNOWN));
  if (status !== 0 && !isHarmless) {
    throw new Error(`pg_restore ended with status ${status}: ${lastLines.join('\n')}`);
  }
}
