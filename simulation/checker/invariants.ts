import type { Clock } from '../runtime/clock.ts';
import type { Execution } from '../services/execution.ts';
import type { Secret, Span } from '../workload/secret-history.ts';
import { CheckedSecrets } from './checked-secrets.ts';
import { ExecutionChecks } from './execution-checks.ts';
import { FunctionChecks } from './function-checks.ts';
import { ReportChecks } from './reports/report-checks.ts';
import { type ScanOutages, Scans } from './scans.ts';
import { ScheduleChecks } from './schedule-checks.ts';
import { type Violation, Violations } from './violations.ts';

export interface InvariantsOptions {
  readonly clock: Clock;
  /** Of the scans, in milliseconds. */
  readonly period: number;
  /** How long after its scheduled time a dump that is not there is overdue, in milliseconds. */
  readonly overdueAfter: number;
  /** How long no check for missing dumps may have ended well until an alarm goes off, in milliseconds. */
  readonly heartbeat: number;
  readonly span: Span;
  readonly scanOutages: ScanOutages;
  /** Whether the rule that starts checks for missing dumps was disabled at any time from one instant to another. */
  readonly checksWereDisabled: (from: number, to: number) => boolean;
  /** The status of all secrets that these checks write, as JSON. */
  readonly status: () => string;
  /** When the rules of time zones change. */
  readonly runtimeUpdate: number;
  readonly onViolation: (violation: Violation) => void;
}

/** Checks a world against what the design promises. The world reports to it what happens. */
export class Invariants {
  readonly scans: Scans;
  readonly executions: ExecutionChecks;
  readonly functions: FunctionChecks;
  readonly schedules: ScheduleChecks;
  readonly reports: ReportChecks;
  readonly #violations: Violations;

  constructor(secrets: readonly Secret[], options: InvariantsOptions) {
    const { clock, period, span, runtimeUpdate, onViolation } = options;
    const checked = new CheckedSecrets(secrets, span, runtimeUpdate);
    this.#violations = new Violations(clock, onViolation);
    this.scans = new Scans(options.scanOutages);
    this.executions = new ExecutionChecks(checked, clock, this.#violations);
    this.functions = new FunctionChecks(checked, clock, this.scans, this.#violations);
    this.schedules = new ScheduleChecks(checked, clock, { period, span }, this.scans, this.#violations);
    this.reports = new ReportChecks(checked, clock, options, this.#violations);
  }

  /** An execution was started. */
  onStarted(execution: Execution): void {
    this.executions.onStarted(execution);
    this.reports.onStarted(execution);
  }

  /** An execution has ended. */
  onEnded(execution: Execution): void {
    this.executions.onEnded(execution);
    this.reports.onEnded(execution);
  }

  get violations(): readonly Violation[] {
    return this.#violations.all;
  }
}
