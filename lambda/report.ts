import type { Continuation } from './continuation.ts';
import type { Finding } from './scan.ts';

/** What a scan answers with. The answer of a function has a limit, so that what was done for each secret is in the log. */
export interface Summary {
  /** How many secrets came to which end. */
  readonly secrets: Readonly<Record<Finding['outcome'], number>>;
  /** What was done for the secret that the event named. */
  readonly named?: Finding;
}

/** A scan did all that it could, and these secrets could not be handled. */
export class ScanFailed extends Error {
  override readonly name = 'ScanFailed';
  constructor(number: number, reasons: readonly string[]) {
    super(
      `${number} problem(s); all else was done.\n${reasons.join('\n')}` +
        (number > reasons.length ? `\n… and ${number - reasons.length} more, which the log names` : ''),
    );
  }
}

/** So many of the secrets that could not be handled an error names. */
const MOST_REASONS = 50;

/** What a scan did, over all of its legs. */
export class Report {
  readonly #secrets = { started: 0, waiting: 0, closed: 0, later: 0, skipped: 0, failed: 0 };
  #named: Finding | undefined;
  readonly #leg: number;
  readonly #reasons: string[];
  #failed: number;

  constructor({ leg, failed, reasons }: Omit<Continuation, 'nextToken'> = { leg: 1, failed: 0, reasons: [] }) {
    this.#leg = leg;
    this.#failed = failed;
    this.#reasons = [...reasons];
  }

  add(finding: Finding): void {
    console.info(finding);
    this.#secrets[finding.outcome] += 1;
    if (finding.outcome === 'failed') {
      this.#failed += 1;
      if (this.#reasons.length < MOST_REASONS) {
        this.#reasons.push(`${finding.secret}: ${String(finding.reason)}`);
      }
    }
  }

  /** Of the secret that the event named. */
  addNamed(finding: Finding): void {
    this.add(finding);
    this.#named = finding;
  }

  get summary(): Summary {
    return { secrets: this.#secrets, ...(this.#named ? { named: this.#named } : {}) };
  }

  /** What an action brings; if it fails, a failure of the scan, which goes on with the substitute. */
  async orElse<T>(what: string, substitute: T, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.add({ secret: what, outcome: 'failed', reason: String(error) });
      return substitute;
    }
  }

  continuation(nextToken: string): Continuation {
    return { leg: this.#leg + 1, nextToken, failed: this.#failed, reasons: this.#reasons };
  }

  /** @throws {ScanFailed} */
  throwIfFailed(): void {
    if (this.#failed > 0) {
      throw new ScanFailed(this.#failed, this.#reasons);
    }
  }
}
