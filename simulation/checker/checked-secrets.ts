import type { Execution } from '../services/execution.ts';
import type { Purpose } from '../workload/random-tags.ts';
import type { Secret, Span } from '../workload/secret-history.ts';
import { type Interval, intervalsOf } from './intervals.ts';

/** What the checker knows about the dumps or the drills of a secret. */
export interface CheckedSecret {
  readonly secret: Secret;
  readonly purpose: Purpose;
  readonly intervals: readonly Interval[];
  /** By scheduled time; those that no longer matter are dropped. */
  readonly executions: Map<number, Execution[]>;
}

const PURPOSES: readonly Purpose[] = ['dump', 'drill'];

/** What the checker knows about all secrets. */
export class CheckedSecrets {
  readonly #byArn: ReadonlyMap<string, Readonly<Record<Purpose, CheckedSecret>>>;

  constructor(secrets: readonly Secret[], span: Span, runtimeUpdate: number) {
    const checked = (secret: Secret, purpose: Purpose): CheckedSecret => {
      const intervals = intervalsOf(secret, purpose, span, runtimeUpdate);
      return { secret, purpose, intervals, executions: new Map() };
    };
    this.#byArn = new Map(
      secrets.map((secret) => [secret.arn, { dump: checked(secret, 'dump'), drill: checked(secret, 'drill') }]),
    );
  }

  all(): readonly CheckedSecret[] {
    return PURPOSES.flatMap((purpose) => this.for(purpose));
  }

  for(purpose: Purpose): readonly CheckedSecret[] {
    return [...this.#byArn.values()].map((checked) => checked[purpose]);
  }

  find(arn: string): Secret | undefined {
    return this.#byArn.get(arn)?.dump.secret;
  }

  of({ secret, purpose }: Pick<CheckedSecret, 'secret' | 'purpose'>): CheckedSecret {
    const checked = this.#byArn.get(secret.arn)?.[purpose];
    if (checked === undefined) {
      throw new Error(`${secret.arn} is not a secret of this world.`);
    }
    return checked;
  }

  /** Of both purposes. */
  ofSecret(secret: Secret): readonly CheckedSecret[] {
    return PURPOSES.map((purpose) => this.of({ secret, purpose }));
  }
}
