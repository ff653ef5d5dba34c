import { isNoSpace, StorageFull } from './disk.ts';
import { Failure, inWords } from './failure.ts';
import { listed, MANY } from './listed.ts';
import { log } from './log.ts';

/** Attempts at several things, of which one that fails does not stop the others. */
export class Attempts {
  readonly #signal: AbortSignal;
  readonly #failures = new Map<string, Failure>();

  /** @param signal ends the run, and so the attempts */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * @param what in the message about its failure
   * @returns undefined if it failed
   * @throws {Error} the signal's reason
   */
  async make<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      const failure = asFailure(error);
      log(`Failed: ${what}: ${inWords(failure)}`);
      this.#failures.set(what, failure);
      return undefined;
    }
  }

  /** Whether this has failed. */
  failed(what: string): boolean {
    return this.#failures.has(what);
  }

  /** That this has failed does not matter any more. */
  forget(what: string): void {
    this.#failures.delete(what);
  }

  /**
   * @param done what is done, as the beginning of the message
   * @throws {Failure} that names all failures, if there are some. It is worth another try if one of them is, since what
   *   is done is not done again; otherwise it has the reason of the first.
   */
  conclude(done: string): void {
    const failures = [...this.#failures.values()];
    const telling = failures.find(({ reason }) => reason === 'tryAgain') ?? failures[0];
    if (telling !== undefined) {
      const list = [...this.#failures].map(([what, failure], index) => `(${index + 1}) ${what}: ${inWords(failure)}`);
      throw new Failure(telling.reason, `${done} Failed: ${listed(list, MANY, ' ')}`, { cause: telling });
    }
  }
}

/** A full disk has its name, and a fault of this program shows its stack. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (isNoSpace(error)) {
    return new StorageFull(error.message);
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Failure('internal', stack, { cause: error });
}
