import { resolve } from 'node:path';
import { dumpOnce } from './dump-once.ts';
import { Processes } from './host/processes.ts';
import type { Options } from './options.ts';
import { prepare } from './prepare.ts';
import type { ReportDetails, Reporter, Summary } from './report.ts';
import type { Cleanups, RunContext } from './run-context.ts';
import { Steps } from './steps.ts';

/**
 * One local run, from a tagged secret to a proven dump. Everything is stopped when this resolves or rejects.
 *
 * @param signal aborts the run
 * @throws {StepFailed} if a step fails
 * @throws {InvalidOptions} if the app would start no run for the schedule
 * @throws {Error} the reason of the signal, if it is aborted
 */
export async function runLocally(
  options: Options,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Summary & ReportDetails> {
  const stateDir = resolve(options.stateDir);
  const processes = new Processes();
  const cleanups: Cleanups = [];
  const run: RunContext = { options, stateDir, reporter, steps: new Steps(reporter, signal), processes, cleanups };
  const stopProcesses = (): void => void processes.stop();
  signal.addEventListener('abort', stopProcesses);
  const [result] = await Promise.allSettled([prepare(run).then((prepared) => dumpOnce(run, prepared))]);
  const cleanupError = await cleanUp(cleanups, reporter);
  signal.removeEventListener('abort', stopProcesses);
  // The reason why the run ended matters more than a failed cleanup.
  if (result.status === 'rejected') {
    throw result.reason;
  }
  if (cleanupError !== undefined) {
    throw cleanupError;
  }
  return result.value;
}

/** Runs all cleanups in reverse order, even if some fail. @returns the first error */
async function cleanUp(cleanups: Cleanups, reporter: Reporter): Promise<Error | undefined> {
  let first: Error | undefined;
  for (const cleanup of cleanups.toReversed()) {
    try {
      await cleanup();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      reporter.line(`Cleanup failed: ${failure.message}`);
      first ??= failure;
    }
  }
  return first;
}
