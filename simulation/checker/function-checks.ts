import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Invocation, Result } from '../services/invocation.ts';
import { type Secret, stateAt } from '../workload/secret-history.ts';
import type { CheckedSecret, CheckedSecrets } from './checked-secrets.ts';
import { dueAfter } from './intervals.ts';
import { LONGEST_WAIT, MARGIN } from './limits.ts';
import type { Scan, Scans } from './scans.ts';
import type { Violations } from './violations.ts';

const MINUTE = 60_000;

type Times = Pick<Scan, 'started' | 'ended'>;

/** Checks functions when they end. */
export class FunctionChecks {
  readonly #secrets: CheckedSecrets;
  readonly #clock: Clock;
  readonly #scans: Scans;
  readonly #violations: Violations;

  constructor(secrets: CheckedSecrets, clock: Clock, scans: Scans, violations: Violations) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#scans = scans;
    this.#violations = violations;
  }

  /**
   * Any function ended: it must have failed if one of the calls that it depends on did, and must not have timed out if
   * no fault delayed it. Of a scan that continues, the last invocation has to fail.
   */
  onInvoked(invocation: Invocation, result: Result): void {
    const { name } = invocation.function;
    const failed = [...invocation.calls.values()].find((call) => call.failed && !call.mayFail);
    if (result.kind === 'returned' && failed !== undefined && !this.#scans.isContinued(invocation)) {
      const secret = this.#secrets.find(failed.subject)?.secret;
      this.#violations.report('true ends', secret, `${name} succeeded although ${failed.operation} failed for good.`);
    }
    if (result.kind === 'failed' && result.error === 'Sandbox.Timedout' && !invocation.delayed) {
      this.#violations.report('true ends', undefined, `${name} timed out although no fault delayed it.`);
    }
  }

  /**
   * An invocation for all secrets ended. A scan must fail if tags are invalid, and serve all secrets that it reached.
   */
  onScanned(invocation: Invocation, result: Result): void {
    const scan = this.#scans.end(invocation, result, this.#clock.now);
    if (scan === undefined) {
      return;
    }
    const violate = (message: string): void => {
      this.#violations.report('true ends', undefined, message);
    };
    if (result.kind === 'returned' && invocation.hasUnreadPages) {
      violate('A scan succeeded although it had not read all pages and did not continue.');
    }
    if (result.kind === 'returned' && scan.failed) {
      violate('A scan succeeded although one of its calls failed for good.');
    }
    const checked = this.#secrets.all();
    const anyInvalid = checked.some(({ secret }) => hadInvalidTags(secret, scan.started - MARGIN, scan.ended));
    if (result.kind === 'failed' && !scan.cut && !scan.failed && !anyInvalid) {
      violate(`A scan failed although no fault prevented it: ${result.cause}`);
    }
    for (const one of checked) {
      if (result.kind === 'returned') {
        this.#checkInvalidTagsReported(one.secret, scan);
      }
      if (!scan.cut && !scan.prevented.has(one.secret.arn)) {
        this.#checkServed(one, scan);
      }
    }
  }

  /** The event of a secret was handled. The function must fail if its tags are invalid, and otherwise serve it. */
  onEventHandled(invocation: Invocation, result: Result, secret: Secret): void {
    const times = { started: invocation.started, ended: this.#clock.now };
    const failed = [...invocation.calls.values()].some((call) => call.failed);
    const isInvalid = hadInvalidTags(secret, times.started, times.ended);
    if (result.kind === 'failed' && !invocation.killed && !failed && !isInvalid) {
      const message = `An event was not handled although no fault prevented it: ${result.cause}`;
      this.#violations.report('true ends', secret, message);
    }
    if (result.kind === 'returned') {
      this.#checkInvalidTagsReported(secret, times, 0);
      if (!failed) {
        this.#checkServed(this.#secrets.of(secret), times, 0);
      }
    }
  }

  #checkInvalidTagsReported(secret: Secret, { started, ended }: Times, margin = MARGIN): void {
    const [before, state] = [stateAt(secret, started - margin), stateAt(secret, ended)];
    const onSchedule = state.exists && state.deletion === undefined && secret.primaryRegion === undefined;
    if (before === state && onSchedule && state.tags?.valid === false) {
      const message = 'The function that read this secret succeeded although its tags are invalid.';
      this.#violations.report('true ends', secret, message);
    }
  }

  /** Once a function has read a secret, its next run must wait, unless a run due meanwhile has yet to start it. */
  #checkServed({ secret, intervals, executions }: CheckedSecret, { started, ended }: Times, margin = MARGIN): void {
    const interval = intervals.find(({ from, to }) => from <= started - margin && to > ended);
    const next = interval && dueAfter(interval, started);
    if (next === undefined || next <= ended + MINUTE || next - started > LONGEST_WAIT) {
      return;
    }
    const runs = executions.get(next) ?? [];
    if (!runs.some(({ end, stopped }) => end === undefined || stopped !== undefined)) {
      const message = `Nothing waits for ${iso(next)} after the scan of ${iso(started)}.`;
      this.#violations.report('always served', secret, message);
    }
  }
}

/** Whether a secret had invalid tags at any time from one instant to another. */
function hadInvalidTags({ states }: Secret, from: number, to: number): boolean {
  return states.some(
    ({ from: since, tags }, i) => tags?.valid === false && since <= to && (states[i + 1]?.from ?? Infinity) >= from,
  );
}
