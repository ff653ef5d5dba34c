import type { Clock } from '../../runtime/clock.ts';
import { iso } from '../../runtime/time.ts';
import type { Execution } from '../../services/execution.ts';
import type { Invocation, Result } from '../../services/lambda/invocation.ts';
import { type ListedSecret, listedTags } from '../../services/secrets-manager.ts';
import type { Purpose, Tags } from '../../workload/random-tags.ts';
import { type Secret, type Span, stateAt, tagsFor, tagsInForce } from '../../workload/secret-history.ts';
import type { CheckedSecrets } from '../checked-secrets.ts';
import type { Interval } from '../intervals.ts';
import { LONGEST_SILENCE, MARGIN } from '../limits.ts';
import type { Violations } from '../violations.ts';
import { Evidence } from './evidence.ts';
import { parseReport, type Report } from './report.ts';
import { SecretReports } from './secret-reports.ts';
import { type KnownRuns, type KnownSecret, problemsOfStatus } from './status-checks.ts';

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

/** The dumps or the drills of a secret. */
interface ReportedSecret {
  readonly secret: Secret;
  readonly purpose: Purpose;
  readonly evidence: Evidence;
  readonly reports: SecretReports;
}

/** Checks that what is missing is reported, and nothing else, and that it is noticed if nothing looks for it. */
export class ReportChecks {
  /** How many reports there were, by kind. */
  readonly figures = { reports: new Map<string, number>() };
  readonly #clock: Clock;
  readonly #violations: Violations;
  readonly #options: ReportChecksOptions;
  /** By {@link idOf}. */
  readonly #byId: ReadonlyMap<string, ReportedSecret>;
  readonly #going = new Set<BegunCheck>();
  #lastBegun: number;
  #lastGoodEnd: number;

  constructor(secrets: CheckedSecrets, clock: Clock, options: ReportChecksOptions, violations: Violations) {
    this.#clock = clock;
    this.#violations = violations;
    this.#options = options;
    this.#lastBegun = options.span.from;
    this.#lastGoodEnd = options.span.from;
    const all = secrets.all().map(({ secret, purpose, intervals }): ReportedSecret => {
      const evidence = new Evidence(clock);
      const one = { secret, purpose, evidence, reports: new SecretReports(evidence, options) };
      for (const interval of intervals) {
        this.#scheduleDueCheck(one, interval, 0);
      }
      return one;
    });
    this.#byId = new Map(all.map((one) => [idOf(one.purpose, one.secret.name), one]));
    this.#scheduleHeartbeatChecks(options);
  }

  onStarted(execution: Execution): void {
    this.#of(execution).evidence.onStarted(execution);
  }

  onEnded(execution: Execution): void {
    this.#of(execution).evidence.onEnded(execution);
  }

  /** A dump or the evidence of a drill is there. */
  onDone(execution: Execution): void {
    this.#of(execution).evidence.onDumped(execution);
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
    const listed = new Map([...invocation.pages.values()].flat().map((one) => [one.ARN, one]));
    const known = new Map<string, KnownRuns>();
    for (const { secret, purpose, evidence, reports: checks } of this.#byId.values()) {
      const own = reports.filter((report) => report.purpose === purpose && report.secret === secret.name);
      const tags = knownTags(secret, purpose, listed.get(secret.arn), ended);
      const { falseReports, unreported } = checks.check(check, tags, own);
      known.set(idOf(purpose, secret.name), { tags, evidence, reports: checks });
      for (const problem of falseReports) {
        const message = `The check of ${iso(check.started)} reported of its ${purpose}s ${problem}.`;
        this.#violations.report('no false report', secret, message);
      }
      for (const problem of unreported) {
        const message = `The check of ${iso(check.started)} did not report this of its ${purpose}s: ${problem}`;
        this.#violations.report('reported in time', secret, message);
      }
    }
    if (check.certain) {
      for (const [name = '', problem] of problemsOfStatus(
        this.#options.status(),
        check,
        invocation,
        secretsOf(known),
      )) {
        const message = `The status of ${iso(check.started)} is wrong: ${problem}.`;
        this.#violations.report('true status', this.#byId.get(idOf('dump', name))?.secret, message);
      }
    }
  }

  #reportsOf({ events }: Invocation): readonly Report[] {
    const reports = [...events.values()].flat().map(({ detail }) => parseReport(detail));
    for (const { kind, secret, purpose } of reports) {
      const name = purpose === 'drill' ? `drill ${kind}` : kind;
      this.figures.reports.set(name, (this.figures.reports.get(name) ?? 0) + 1);
      if (!this.#byId.has(idOf(purpose, secret))) {
        this.#violations.report('no false report', undefined, `${secret}, which was reported, never existed.`);
      }
    }
    return reports;
  }

  /** What is an event is in a message, too. */
  #checkMessages({ messages }: Invocation, reports: readonly Report[]): void {
    for (const { kind, secret, purpose } of reports) {
      const lines = ['', 'STILL '].map(
        (again) => `\n${purpose === 'drill' ? 'DRILL ' : ''}${again}${TITLES[kind]}: ${secret}\n`,
      );
      if (!messages.some((text) => lines.some((line) => text.includes(line)))) {
        const message = `No message says what the event "${kind}" of the ${purpose}s of ${secret} does.`;
        this.#violations.report('reported in time', this.#byId.get(idOf(purpose, secret))?.secret, message);
      }
    }
    if (messages.length > 0 && reports.length === 0) {
      this.#violations.report('no false report', undefined, 'A message says what no event does.');
    }
  }

  /** Notes each dump, and evidence, that is not there when it becomes overdue. */
  #scheduleDueCheck(one: ReportedSecret, interval: Interval, position: number): void {
    const due = interval.due[position];
    if (due === undefined) {
      return;
    }
    this.#clock.at(due + this.#options.overdueAfter, () => {
      const { secret, purpose, evidence, reports } = one;
      const tags = tagsInForce(secret, stateAt(secret, due), purpose);
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

  #of({ secret, purpose }: Execution): ReportedSecret {
    const found = this.#byId.get(idOf(purpose, secret.name));
    if (found === undefined) {
      throw new Error(`${secret.name} is not a secret of this world.`);
    }
    return found;
  }
}

/** By name. */
function secretsOf(known: ReadonlyMap<string, KnownRuns>): ReadonlyMap<string, KnownSecret> {
  const [dump, drill] = [idOf('dump', ''), idOf('drill', '')];
  return new Map(
    [...known].flatMap(([id, dumps]) => {
      const name = id.slice(dump.length);
      const drills = known.get(drill + name);
      return id.startsWith(dump) && drills !== undefined ? [[name, { ...dumps, drills }] as const] : [];
    }),
  );
}

function idOf(purpose: Purpose, name: string): string {
  return `${purpose} ${name}`;
}

/** The tags that were listed for a purpose, with what else is known of them. */
function knownTags(
  { states }: Secret,
  purpose: Purpose,
  listed: ListedSecret | undefined,
  now: number,
): Tags | undefined {
  const seen = listed && listedTags(listed, purpose);
  return states
    .filter(({ from }) => from <= now)
    .map((state) => tagsFor(state, purpose))
    .findLast((tags) => tags && tags.schedule === seen?.schedule && tags.timezone === seen.timezone);
}
