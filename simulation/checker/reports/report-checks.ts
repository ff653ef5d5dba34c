import type { Clock } from '../../runtime/clock.ts';
import { iso } from '../../runtime/time.ts';
import type { Execution } from '../../services/execution.ts';
import type { Invocation, Result } from '../../services/lambda/invocation.ts';
import { listedTags } from '../../services/secrets-manager.ts';
import type { Tags } from '../../workload/random-tags.ts';
import { type Secret, type Span, stateAt, tagsInForce } from '../../workload/secret-history.ts';
import type { CheckedSecrets } from '../checked-secrets.ts';
import type { Interval } from '../intervals.ts';
import { LONGEST_SILENCE, MARGIN } from '../limits.ts';
import type { Violations } from '../violations.ts';
import { Evidence } from './evidence.ts';
import { parseReport, type Report } from './report.ts';
import { SecretReports } from './secret-reports.ts';
import { type KnownSecret, problemsOfStatus } from './status-checks.ts';

const HOUR = 60 * 60_000;

/** What the part of a message about each kind of report begins with, perhaps after "STILL". */
const TITLES: Readonly<Record<Report['kind'], string>> = {
  overdue: 'OVERDUE',
  late: 'LATE',
  lost: 'LOST',
  'caught up': 'CAUGHT UP',
  'broken tags': 'WITH TAGS THAT CANNOT BE FOLLOWED',
};

/** A check for missing dumps that has begun. */
interface BegunCheck {
  readonly started: number;
  /** Whether another one was going at any time of it. */
  overlapped: boolean;
}

export interface ReportChecksOptions {
  readonly span: Span;
  readonly overdueAfter: number;
  readonly heartbeat: number;
  readonly runtimeUpdate: number;
  /** Whether the rule that starts checks was disabled at any time from one instant to another. */
  readonly checksWereDisabled: (from: number, to: number) => boolean;
  /** The status of all secrets, as JSON. */
  readonly status: () => string;
}

interface ReportedSecret {
  readonly secret: Secret;
  readonly evidence: Evidence;
  readonly reports: SecretReports;
}

/** Checks that missing dumps are reported, and nothing else, and that it is noticed if nothing looks for them. */
export class ReportChecks {
  /** How many reports there were, by kind. */
  readonly figures = { reports: new Map<string, number>() };
  readonly #clock: Clock;
  readonly #violations: Violations;
  readonly #options: ReportChecksOptions;
  readonly #byName: ReadonlyMap<string, ReportedSecret>;
  readonly #going = new Set<BegunCheck>();
  #lastBegun: number;
  #lastGoodEnd: number;

  constructor(secrets: CheckedSecrets, clock: Clock, options: ReportChecksOptions, violations: Violations) {
    this.#clock = clock;
    this.#violations = violations;
    this.#options = options;
    this.#lastBegun = options.span.from;
    this.#lastGoodEnd = options.span.from;
    const all = secrets.for('dump').map(({ secret, intervals }): ReportedSecret => {
      const evidence = new Evidence(clock);
      const one = { secret, evidence, reports: new SecretReports(evidence, options) };
      for (const interval of intervals) {
        this.#scheduleDueCheck(one, interval, 0);
      }
      return one;
    });
    this.#byName = new Map(all.map((one) => [one.secret.name, one]));
    this.#scheduleHeartbeatChecks(options);
  }

  onStarted(execution: Execution): void {
    this.#of(execution.secret).evidence.onStarted(execution);
  }

  onEnded(execution: Execution): void {
    this.#of(execution.secret).evidence.onEnded(execution);
  }

  onDumped(execution: Execution): void {
    this.#of(execution.secret).evidence.onDumped(execution);
  }

  /** A check begins. */
  begin(): BegunCheck {
    this.#lastBegun = this.#clock.now;
    const check = { started: this.#clock.now, overlapped: this.#going.size > 0 };
    for (const other of this.#going) {
      other.overlapped = true;
    }
    this.#going.add(check);
    return check;
  }

  /** A check has ended. */
  onChecked(begun: BegunCheck, invocation: Invocation, result: Result): void {
    this.#going.delete(begun);
    const ended = this.#clock.now;
    const endedWell = result.kind === 'returned';
    const check = { started: begun.started, ended, wrote: invocation.wrote, certain: endedWell && !begun.overlapped };
    if (endedWell) {
      this.#lastGoodEnd = ended;
    } else if (!invocation.killed && [...invocation.calls.values()].every(({ failed }) => !failed)) {
      this.#violations.report('true ends', undefined, `A check failed although no fault prevented it: ${result.cause}`);
    }
    const reports = this.#reportsOf(invocation);
    if (endedWell) {
      this.#checkMessages(invocation, reports);
    }
    const listed = tagsByArn(invocation);
    const known = new Map<string, KnownSecret>();
    for (const { secret, evidence, reports: checks } of this.#byName.values()) {
      const own = reports.filter((report) => report.secret === secret.name);
      const tags = knownTags(secret, listed.get(secret.arn), ended);
      const { falseReports, unreported } = checks.check(check, tags, own);
      known.set(secret.name, { tags, evidence, reports: checks });
      for (const problem of falseReports) {
        this.#violations.report('no false report', secret, `The check of ${iso(check.started)} reported ${problem}.`);
      }
      for (const problem of unreported) {
        const message = `The check of ${iso(check.started)} did not report this: ${problem}`;
        this.#violations.report('reported in time', secret, message);
      }
    }
    if (check.certain) {
      for (const [name = '', problem] of problemsOfStatus(this.#options.status(), check, invocation, known)) {
        const message = `The status of ${iso(check.started)} is wrong: ${problem}.`;
        this.#violations.report('true status', this.#byName.get(name)?.secret, message);
      }
    }
  }

  #reportsOf({ events }: Invocation): readonly Report[] {
    const reports = [...events.values()].flat().map(({ detail }) => parseReport(detail));
    for (const { kind, secret } of reports) {
      this.figures.reports.set(kind, (this.figures.reports.get(kind) ?? 0) + 1);
      if (!this.#byName.has(secret)) {
        this.#violations.report('no false report', undefined, `${secret}, which was reported, never existed.`);
      }
    }
    return reports;
  }

  /** What is an event is in a message, too. */
  #checkMessages({ messages }: Invocation, reports: readonly Report[]): void {
    for (const { kind, secret } of reports) {
      if (!messages.some((text) => text.includes(`${TITLES[kind]}: ${secret}\n`))) {
        const message = `No message says what the event "${kind}" of ${secret} does.`;
        this.#violations.report('reported in time', this.#byName.get(secret)?.secret, message);
      }
    }
    if (messages.length > 0 && reports.length === 0) {
      this.#violations.report('no false report', undefined, 'A message says what no event does.');
    }
  }

  /** Notes each dump that is not there when it becomes overdue. */
  #scheduleDueCheck(one: ReportedSecret, interval: Interval, position: number): void {
    const due = interval.due[position];
    if (due === undefined) {
      return;
    }
    this.#clock.at(due + this.#options.overdueAfter, () => {
      const { secret, evidence, reports } = one;
      const tags = tagsInForce(secret, stateAt(secret, due), 'dump');
      if (due >= interval.from && tags !== undefined && !evidence.hasDump(due, this.#clock.now)) {
        reports.onMissing(due, tags);
      }
      this.#scheduleDueCheck(one, interval, position + 1);
    });
  }

  /**
   * Checks every hour that a check has begun within an hour, and that one has ended well lately, or an alarm says that
   * none has.
   */
  #scheduleHeartbeatChecks({ span, heartbeat, checksWereDisabled }: ReportChecksOptions): void {
    const check = (): void => {
      const { now } = this.#clock;
      if (now - this.#lastBegun > HOUR + MARGIN && !checksWereDisabled(this.#lastBegun, now)) {
        const message = `No check has begun since ${iso(this.#lastBegun)}.`;
        this.#violations.report('reported in time', undefined, message);
      }
      const silence = now - this.#lastGoodEnd;
      if (silence > LONGEST_SILENCE && silence <= heartbeat) {
        const message = `No check has ended well since ${iso(this.#lastGoodEnd)}, and no alarm went off.`;
        this.#violations.report('reported in time', undefined, message);
      }
      if (now < span.to) {
        this.#clock.at(now + HOUR, check);
      }
    };
    this.#clock.at(span.from + HOUR, check);
  }

  #of({ name }: Secret): ReportedSecret {
    const found = this.#byName.get(name);
    if (found === undefined) {
      throw new Error(`${name} is not a secret of this world.`);
    }
    return found;
  }
}

function tagsByArn({ pages }: Invocation): ReadonlyMap<string, Omit<Tags, 'valid'> | undefined> {
  return new Map([...pages.values()].flat().map((listed) => [listed.ARN, listedTags(listed)]));
}

/** The tags that were listed, with what else is known of them. */
function knownTags({ states }: Secret, listed: Omit<Tags, 'valid'> | undefined, now: number): Tags | undefined {
  return (
    listed &&
    states.findLast(
      ({ from, tags }) => from <= now && tags?.schedule === listed.schedule && tags.timezone === listed.timezone,
    )?.tags
  );
}
