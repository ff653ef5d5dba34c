import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { iso } from '../runtime/time.ts';
import type { Invocation, Result } from '../services/lambda/invocation.ts';
import type { Purpose } from '../workload/random-tags.ts';
import { type Secret, stateAt, tagsInForce } from '../workload/secret-history.ts';
import type { CheckedSecret, CheckedSecrets } from './checked-secrets.ts';
import { dueAfter } from './intervals.ts';
import { LONGEST_WAIT, MARGIN } from './limits.ts';
import type { Scan, Scans } from './scans.ts';
import type { Violations } from './violations.ts';

const MINUTE = 60_000;

/** Of more secrets, the others are only in the log. */
const MOST_NAMED = 50;

const errorSchema = z.object({ errorMessage: z.string() });

interface Named {
  readonly name: string;
  readonly purpose: Purpose;
}

type Times = Pick<Scan, 'started' | 'ended'>;

/** Checks functions when they end. */
export class FunctionChecks {
  readonly #secrets: CheckedSecrets;
  readonly #clock: Clock;
  readonly #scans: Scans;
  readonly #violations: Violations;

  /** When a check whether a secret can be dumped was last started. */
  readonly #preflights = new Map<Secret, number>();
  /** Secrets of which an event was not handled at once. */
  readonly #unhandled = new Set<Secret>();

  constructor(secrets: CheckedSecrets, clock: Clock, scans: Scans, violations: Violations) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#scans = scans;
    this.#violations = violations;
  }

  /**
   * Any function ended: it must have failed if a call did that it depends on, and timed out only if faults delayed it.
   * Of a scan that continues, the last invocation has to fail.
   */
  onInvoked(invocation: Invocation, result: Result): void {
    const { name } = invocation.function;
    const failed = [...invocation.calls.values()].find((call) => call.failed && !call.mayFail);
    if (result.kind === 'returned' && failed !== undefined && !this.#scans.isContinued(invocation)) {
      const secret = this.#secrets.find(failed.subject);
      this.#violations.report('true ends', secret, `${name} succeeded although ${failed.operation} failed for good.`);
    }
    if (result.kind === 'failed' && result.error === 'Sandbox.Timedout' && !invocation.delayed) {
      this.#violations.report('true ends', undefined, `${name} timed out although no fault delayed it.`);
    }
  }

  /** An invocation for all secrets ended. A scan must fail if tags are invalid, and serve all that it reached. */
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
    const anyInvalid = checked.some((one) => hadInvalidTags(one, scan.started - MARGIN, scan.ended));
    if (result.kind === 'failed' && !scan.cut && !scan.failed && !anyInvalid) {
      violate(`A scan failed although no fault prevented it: ${result.cause}`);
    }
    const named = namedIn(result);
    for (const one of checked) {
      const isPrevented = scan.prevented.has(one.secret.arn);
      if (!scan.cut) {
        this.#checkNamed(one, named, scan, isPrevented);
      }
      if (!scan.cut && !isPrevented) {
        this.#checkServed(one, scan);
        this.#checkFirstRun(one, scan);
      }
    }
  }

  /** The event of a secret was handled. The function must fail if its tags are invalid, and otherwise serve it. */
  onEventHandled(invocation: Invocation, result: Result, secret: Secret): void {
    const times = { started: invocation.started, ended: this.#clock.now };
    const failed = [...invocation.calls.values()].some((call) => call.failed);
    const both = this.#secrets.ofSecret(secret);
    const isInvalid = both.some((one) => hadInvalidTags(one, times.started, times.ended));
    if (result.kind === 'failed' && !invocation.killed && !failed && !isInvalid) {
      const message = `An event was not handled although no fault prevented it: ${result.cause}`;
      this.#violations.report('true ends', secret, message);
    }
    const named = namedIn(result);
    for (const one of both) {
      if (!invocation.killed) {
        this.#checkNamed(one, named, times, failed, 0);
      }
      if (result.kind === 'returned' && !failed) {
        this.#checkServed(one, times, 0);
        this.#checkPreflight(one, times);
      }
    }
    if (result.kind === 'failed') {
      this.#unhandled.add(secret);
    }
  }

  /** A check whether a secret can be dumped is started. */
  onPreflightStarted(secret: Secret): void {
    this.#preflights.set(secret, this.#clock.now);
  }

  /** Once the event of a secret with dumps is handled, a check whether it can be dumped must have been started. */
  #checkPreflight({ secret, purpose, intervals }: CheckedSecret, { started, ended }: Times): void {
    const isScheduled = purpose === 'dump' && intervals.some(({ from, to }) => from <= started && to > ended);
    if (isScheduled && (this.#preflights.get(secret) ?? 0) < started) {
      this.#violations.report(
        'always served',
        secret,
        'Its event was handled, and nothing checks whether it can be dumped.',
      );
    }
  }

  /** So it is if the event was lost, and a scan has started the first dump. */
  #checkFirstRun({ secret, purpose, executions }: CheckedSecret, { started, ended }: Times): void {
    if (purpose !== 'dump' || this.#preflights.has(secret) || this.#unhandled.has(secret)) {
      return;
    }
    if ([...executions.values()].flat().some((run) => run.started >= started && run.started <= ended)) {
      const message = `The scan of ${iso(started)} started its first run, and nothing checks whether it can be dumped.`;
      this.#violations.report('always served', secret, message);
    }
  }

  /**
   * A function that has read a secret with invalid tags must have failed with its name and their purpose, and must not
   * have with those of a secret of which all went well.
   *
   * @param named what its error names
   * @param isPrevented whether faults prevented it from doing what this secret needs
   */
  #checkNamed(
    checked: CheckedSecret,
    named: readonly Named[],
    { started, ended }: Times,
    isPrevented: boolean,
    margin = MARGIN,
  ): void {
    const { secret, purpose } = checked;
    const [before, state] = [stateAt(secret, started - margin), stateAt(secret, ended)];
    const isInvalid = before === state && tagsInForce(secret, state, purpose)?.valid === false;
    const isNamed = named.some((one) => one.name === secret.name && one.purpose === purpose);
    if (isInvalid && named.length < MOST_NAMED && !isNamed) {
      const message = `The function that read this secret did not report that its tags for ${purpose}s are invalid.`;
      this.#violations.report('true ends', secret, message);
    }
    if (isNamed && !isPrevented && !hadInvalidTags(checked, started - margin, ended)) {
      this.#violations.report('true ends', secret, 'A function failed with its name, although no fault prevented it.');
    }
  }

  /** Once a function has read a secret, its next run must wait, unless a run due meanwhile has yet to start it. */
  #checkServed(
    { secret, purpose, intervals, executions }: CheckedSecret,
    { started, ended }: Times,
    margin = MARGIN,
  ): void {
    const interval = intervals.find(({ from, to }) => from <= started - margin && to > ended);
    const next = interval && dueAfter(interval, started);
    if (next === undefined || next <= ended + MINUTE || next - started > LONGEST_WAIT) {
      return;
    }
    const runs = executions.get(next) ?? [];
    if (!runs.some(({ end, stopped }) => end === undefined || stopped !== undefined)) {
      const message = `Nothing waits for the ${purpose} of ${iso(next)} after the scan of ${iso(started)}.`;
      this.#violations.report('always served', secret, message);
    }
  }
}

/** Whether a secret had invalid tags at any time from one instant to another. */
function hadInvalidTags({ secret, purpose }: CheckedSecret, from: number, to: number): boolean {
  const { states } = secret;
  return states.some(
    (state, i) =>
      tagsInForce(secret, state, purpose)?.valid === false &&
      state.from <= to &&
      (states[i + 1]?.from ?? Infinity) >= from,
  );
}

/** The secrets and purposes with which an error of the Scanner begins its lines: `db: …`, or `db (drill): …`. */
function namedIn(result: Result): readonly Named[] {
  if (result.kind === 'returned') {
    return [];
  }
  const { errorMessage } = errorSchema.parse(JSON.parse(result.cause));
  return errorMessage.split('\n').flatMap((line) => {
    const [, name, drill] = /^(\S+)( \(drill\))?: /.exec(line) ?? [];
    return name === undefined ? [] : [{ name, purpose: drill === undefined ? 'dump' : 'drill' }];
  });
}
