import { EventEmitter, once } from 'node:events';
import type { Reporter } from './report.ts';
import type { TraceEvent } from './services/trace.ts';

/** Reports the events of the stack, and records what explains a failure. */
export class Watcher {
  readonly #reporter: Reporter;
  readonly #events = new EventEmitter();
  #lastLine: string | undefined;
  #functionError: string | undefined;
  /** Last line of standard error of each failed attempt of a job. */
  readonly #errors: { readonly job: string; readonly line: string }[] = [];

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  observe(event: TraceEvent): void {
    this.#reporter.event(event);
    if (event.kind === 'waiting') {
      this.#events.emit('waiting');
    }
    if (event.kind === 'function ended' && event.result.kind === 'failed') {
      this.#functionError ??= `${event.name} failed: ${event.result.error.errorMessage}`;
    }
    if (event.kind === 'job output' && event.stream === 'stderr') {
      this.#lastLine = event.line;
    }
    if (event.kind === 'job ended') {
      if (event.exitCode !== 0 && this.#lastLine !== undefined) {
        this.#errors.push({ job: event.name, line: this.#lastLine });
      }
      this.#lastLine = undefined;
    }
  }

  /** Resolves when the next execution waits. */
  async nextWait(): Promise<void> {
    await once(this.#events, 'waiting');
  }

  /** The first function that failed, and its error. */
  get functionError(): string | undefined {
    return this.#functionError;
  }

  /** Errors of the last job: that of its last attempt, which decides, and different ones of earlier attempts. */
  get jobErrors(): string {
    const job = this.#errors.at(-1)?.job;
    const ofJob = this.#errors.filter((error) => error.job === job).map(({ line }) => line);
    const [last, ...earlier] = new Set(ofJob.toReversed());
    return [last, ...earlier.map((error) => `An earlier attempt: ${error}`)].join('\n');
  }
}
