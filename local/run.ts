import { resolve } from 'node:path';
import { dumpOnce } from './dump-once.ts';
import type { Program } from './host/program.ts';
import type { Options } from './options.ts';
import { prepare } from './prepare.ts';
import type { ReportDetails, Reporter, Summary } from './report.ts';
import type { RunState } from './run-state.ts';
import { Steps } from './steps.ts';

/**
 * One local run, from a tagged secret to a proven dump. What it has started is stopped by the program's cleanups.
 *
 * @throws {StepFailed} if a step fails
 * @throws {InvalidOptions} if the app would start no run for the schedule
 * @throws {Error} the reason of the program's signal, if it aborts
 */
export async function runLocally(
  options: Options,
  reporter: Reporter,
  { signal, processes, cleanups }: Program,
): Promise<Summary & ReportDetails> {
  const stateDir = resolve(options.stateDir);
  const run: RunState = { options, stateDir, reporter, steps: new Steps(reporter, signal), processes, cleanups };
  return dumpOnce(run, await prepare(run));
}
