import type { Clock } from '../runtime/clock.ts';
import type { Secret } from '../workload/secret-history.ts';

/**
 * The promises of the design:
 * - `one dump`: every scheduled time has a dump or a drill, unless nothing could have made one;
 * - `no other dump`: neither is started twice for a time, before it, or under tags that no longer exist;
 * - `true ends`: executions and functions succeed or fail as their work did;
 * - `always served`: every secret on a schedule has its next run waiting, or a scan is due within a period;
 * - `reported in time`: every missing dump is reported by the next check, again daily, and when it is caught up;
 * - `no false report`: nothing else is reported, and nothing twice;
 * - `true status`: the status says of every secret on a schedule what was reported.
 */
export type Invariant =
  'one dump' | 'no other dump' | 'true ends' | 'always served' | 'reported in time' | 'no false report' | 'true status';

export interface Violation {
  readonly invariant: Invariant;
  readonly time: number;
  /** The secret's number; `undefined` if the violation concerns no single secret. */
  readonly secret: number | undefined;
  readonly message: string;
}

/** Matches violations by all fields that are present. */
export type ViolationPattern = Partial<Pick<Violation, 'invariant' | 'secret'>>;

export function isMatch(violation: Violation, pattern: ViolationPattern): boolean {
  return (
    (!('invariant' in pattern) || violation.invariant === pattern.invariant) &&
    (!('secret' in pattern) || violation.secret === pattern.secret)
  );
}

/** Collects the violations of a world. */
export class Violations {
  readonly all: Violation[] = [];
  readonly #clock: Clock;
  readonly #onReport: (violation: Violation) => void;

  constructor(clock: Clock, onReport: (violation: Violation) => void) {
    this.#clock = clock;
    this.#onReport = onReport;
  }

  report(invariant: Invariant, secret: Secret | undefined, message: string): void {
    const violation = { invariant, time: this.#clock.now, secret: secret?.index, message };
    this.all.push(violation);
    this.#onReport(violation);
  }
}
