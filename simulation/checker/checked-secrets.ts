import type { Execution } from '../services/execution.ts';
import type { Secret, Span } from '../workload/secret-history.ts';
import { type Interval, intervalsOf } from './intervals.ts';

/** What the checker knows about a secret. */
export interface CheckedSecret {
  readonly secret: Secret;
  readonly intervals: readonly Interval[];
  /** By scheduled time; those that no longer matter are dropped. */
  readonly executions: Map<number, Execution[]>;
}

/** What the checker knows about all secrets, by ARN. */
export class CheckedSecrets {
  readonly #byArn: ReadonlyMap<string, CheckedSecret>;

  constructor(secrets: readonly Secret[], span: Span, runtimeUpdate: number) {
    this.#byArn = new Map(
      secrets.map((secret) => {
        const intervals = intervalsOf(secret, span, runtimeUpdate);
        return [secret.arn, { secret, intervals, executions: new Map<number, Execution[]>() }];
      }),
    );
  }

  all(): readonly CheckedSecret[] {
    return [...this.#byArn.values()];
  }

  find(arn: string): CheckedSecret | undefined {
    return this.#byArn.get(arn);
  }

  of(secret: Secret): CheckedSecret {
    const checked = this.find(secret.arn);
    if (checked === undefined) {
      throw new Error(`${secret.arn} is not a secret of this world.`);
    }
    return checked;
  }
}
