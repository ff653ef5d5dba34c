import type { Reporter } from './report.ts';

/** A step of the local run failed. The message is for people, and whole. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly step: string;

  constructor(step: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.step = step;
  }
}

/** Runs one step after the other, each with a name that its failure bears. */
export class Steps {
  readonly #reporter: Reporter;
  readonly #signal: AbortSignal;

  constructor(reporter: Reporter, signal: AbortSignal) {
    this.#reporter = reporter;
    this.#signal = signal;
  }

  /**
   * @param tell what to say about the result; without it the step is too small to mention
   * @throws {StepFailed}, or the reason of the signal if that has ended the run
   */
  async take<T>(name: string, work: () => Promise<T>, tell?: (result: T) => string): Promise<T> {
    this.#signal.throwIfAborted();
    try {
      const result = await work();
      if (tell !== undefined) {
        this.#reporter.done(name, tell(result));
      }
      return result;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof StepFailed) {
        throw error;
      }
      throw new StepFailed(name, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Waits for something that ends by itself, or for the signal. */
  async orAborted<T>(work: Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => {
        reject(this.#signal.reason instanceof Error ? this.#signal.reason : new Error('The local run was ended.'));
      };
      this.#signal.addEventListener('abort', stop);
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }
}
