import type { Clock } from '../runtime/clock.ts';
import type { Secret, Span } from '../workload/secret-history.ts';
import { CheckedSecrets } from './checked-secrets.ts';
import { ExecutionChecks } from './execution-checks.ts';
import { FunctionChecks } from './function-checks.ts';
import { Scans } from './scans.ts';
import { ScheduleChecks } from './schedule-checks.ts';
import { type Violation, Violations } from './violations.ts';

export interface InvariantsOptions {
  readonly clock: Clock;
  /** Of the scans, in milliseconds. */
  readonly period: number;
  readonly span: Span;
  /** When the rules of time zones change. */
  readonly runtimeUpdate: number;
  readonly onViolation: (violation: Violation) => void;
}

/** Checks a world against what the design promises. The world reports to it what happens. */
export class Invariants {
  readonly scans = new Scans();
  readonly executions: ExecutionChecks;
  readonly functions: FunctionChecks;
  readonly schedules: ScheduleChecks;
  readonly #violations: Violations;

  constructor(secrets: readonly Secret[], { clock, period, span, runtimeUpdate, onViolation }: InvariantsOptions) {
    const checked = new CheckedSecrets(secrets, span, runtimeUpdate);
    this.#violations = new Violations(clock, onViolation);
    this.executions = new ExecutionChecks(checked, clock, this.#violations);
    this.functions = new FunctionChecks(checked, clock, this.scans, this.#violations);
    this.schedules = new ScheduleChecks(checked, clock, { period, span }, this.scans, this.#violations);
  }

  get violations(): readonly Violation[] {
    return this.#violations.all;
  }
}
