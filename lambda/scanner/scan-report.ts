import { ScanFailed } from '../core/scan-failed.ts';
import type { Continuation } from './continuation.ts';
import type { ScanResult } from './scan-secret.ts';

/** Response of a scan. Responses are limited in size, so the result for each secret is in the log instead. */
export interface Summary {
  /** Number of schedules by outcome; a secret has one for its dumps, one for its drills, or both. */
  readonly secrets: Readonly<Record<ScanResult['outcome'], number>>;
  /** Results for the secret that the event named. */
  readonly named?: readonly ScanResult[];
}

/** How many of the secrets that could not be handled an error names. */
const MAX_REASONS = 50;

/** Collects the results of a scan over all of its invocations. */
export class ScanReport {
  readonly #secrets = { started: 0, waiting: 0, closed: 0, later: 0, skipped: 0, failed: 0 };
  #named: readonly ScanResult[] | undefined;
  readonly #leg: number;
  readonly #reasons: string[];
  #failed: number;

  constructor({ leg, failed, reasons }: Omit<Continuation, 'nextToken'> = { leg: 1, failed: 0, reasons: [] }) {
    this.#leg = leg;
    this.#failed = failed;
    this.#reasons = [...reasons];
  }

  add(result: ScanResult): void {
    console.info(result);
    this.#secrets[result.outcome] += 1;
    if (result.outcome === 'failed') {
      this.#failed += 1;
      if (this.#reasons.length < MAX_REASONS) {
        const drill = result.purpose === 'drill' ? ' (drill)' : '';
        this.#reasons.push(`${result.secret}${drill}: ${String(result.reason)}`);
      }
    }
  }

  /** Adds the results for the secret that the event named. */
  addNamed(results: readonly ScanResult[]): void {
    results.forEach((result) => {
      this.add(result);
    });
    this.#named = results;
  }

  get summary(): Summary {
    return { secrets: this.#secrets, ...(this.#named ? { named: this.#named } : {}) };
  }

  /** Result of an action. If it fails, this is reported as a failure of the scan, which continues with the fallback. */
  async attempt<T>(name: string, fallback: T, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      this.add({ secret: name, outcome: 'failed', reason: String(error) });
      return fallback;
    }
  }

  continuation(nextToken: string): Continuation {
    return { leg: this.#leg + 1, nextToken, failed: this.#failed, reasons: this.#reasons };
  }

  /** @throws {ScanFailed} if any invocation had a failure */
  throwIfFailed(): void {
    if (this.#failed > 0) {
      throw new ScanFailed(this.#failed, this.#reasons);
    }
  }
}
