import type { Processes } from './host/processes.ts';
import type { Cleanups } from './host/program.ts';
import type { Options } from './options.ts';
import type { Reporter } from './report.ts';
import type { Steps } from './steps.ts';

/** State shared by the steps of a local run. */
export interface RunState {
  readonly options: Options;
  /** Absolute path. */
  readonly stateDir: string;
  readonly reporter: Reporter;
  readonly steps: Steps;
  readonly processes: Processes;
  readonly cleanups: Cleanups;
}
