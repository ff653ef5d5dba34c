import { Misuse } from './host/misuse.ts';
import { orAborted } from './host/program.ts';
import type { Reporter } from './report.ts';

/** A step of the local run failed. The message is complete and meant for people. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly step: string;

  constructor(step: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.step = step;
  }
}

/** Runs the named steps of the local run. A failure carries the name of its step. */
export class Steps {
  readonly #reporter: Reporter;
  readonly #signal: AbortSignal;

  constructor(reporter: Reporter, signal: AbortSignal) {
    this.#reporter = reporter;
    this.#signal = signal;
  }

  /**
   * @param describe describes the result for the report; without it, the step is not reported
   * @throws {StepFailed} if the step fails
   * @throws {Misuse} if the step finds that an option is invalid
   * @throws {Error} the reason of the signal, if it is aborted
   */
  async run<T>(name: string, work: () => Promise<T>, describe?: (result: T) => string): Promise<T> {
    this.#signal.throwIfAborted();
    try {
      const result = await work();
      if (describe !== undefined) {
        this.#reporter.done(name, describe(result));
      }
      return result;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof StepFailed || error instanceof Misuse) {
        throw error;
      }
      throw new StepFailed(name, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** As {@link orAborted}, with the signal of the run. */
  async orAborted<T>(work: Promise<T>): Promise<T> {
    return orAborted(work, this.#signal);
  }
}
