import { iso } from '../../runtime/time.ts';
import { formerZone } from '../../runtime/timezone-rules.ts';
import type { Tags } from '../../workload/random-tags.ts';
import { GRACE, REMINDER } from '../limits.ts';
import { dueTimes } from '../oracle.ts';
import { BrokenTags } from './broken-tags.ts';
import type { Check, Evidence } from './evidence.ts';
import type { MissingReport, Report } from './report.ts';
import { type Sighting, Sightings } from './sightings.ts';

export interface Terms {
  /** How long after its scheduled time a dump that is not there is overdue. */
  readonly overdueAfter: number;
  /** When the rules of time zones change. */
  readonly runtimeUpdate: number;
}

/** What was reported of a secret that misses dumps. */
interface Arrears {
  readonly tags: string;
  readonly last: number;
  readonly kind: 'overdue' | 'late' | 'lost';
  /** When the check that reported it last began. */
  readonly started: number;
  /** The check that reported it may have forgotten it. */
  readonly uncertain: boolean;
  /** A check may have seen other tags meanwhile, so that nothing is owed. */
  readonly optional: boolean;
}

type Span = Pick<MissingReport['missing'], 'first' | 'last'>;

/** How many reports are kept. */
const MOST_REPORTED = 50;

/** Checks that what one secret misses is reported in time, daily, and when it is caught up, and nothing else is. */
export class SecretReports {
  readonly #evidence: Evidence;
  readonly #terms: Terms;
  readonly #sightings = new Sightings();
  readonly #brokenTags = new BrokenTags(this.#sightings);
  /** Scheduled times whose dumps were not there in time, and not looked for since. */
  #pending: { readonly due: number; readonly tags: Tags }[] = [];
  #reported: readonly Span[] = [];
  #arrears: Arrears | undefined;
  /** Whether the last check has remembered its reports. Otherwise they are repeated. */
  #isRemembered = true;

  constructor(evidence: Evidence, terms: Terms) {
    this.#evidence = evidence;
    this.#terms = terms;
  }

  /** Whether dumps are missing, as far as it was reported; undefined if that may be forgotten. */
  get isMissing(): boolean | undefined {
    const { uncertain, optional } = this.#arrears ?? { uncertain: !this.#isRemembered, optional: false };
    return uncertain || optional ? undefined : this.#arrears !== undefined;
  }

  /** A dump that has to be there by now is not. */
  onMissing(due: number, tags: Tags): void {
    this.#pending.push({ due, tags });
  }

  /**
   * A check has ended.
   *
   * @param tags those that it saw, if any
   * @returns what is wrong with its reports, and what is missing among them
   */
  check(
    check: Check,
    tags: Tags | undefined,
    reports: readonly Report[],
  ): { readonly falseReports: readonly string[]; readonly unreported: readonly string[] } {
    this.#forget(check, tags);
    const falseReports = reports.flatMap((report) => {
      const problem = this.#judge(report, check, tags);
      this.#remember(report, check, tags);
      return problem === undefined ? [] : [`${report.kind}: ${problem}`];
    });
    const unreported = check.certain
      ? [...this.#unreportedDumps(check, tags), ...this.#unreportedChange(check), ...this.#unreportedTags(check, tags)]
      : [];
    if (check.wrote) {
      this.#sightings.see(tags && this.#sighting(tags, check), check.started, check.certain);
    }
    this.#isRemembered = check.certain || (this.#isRemembered && reports.length === 0);
    return { falseReports, unreported };
  }

  /** Other tags owe nothing for the time before them. */
  #forget({ wrote, certain }: Check, tags: Tags | undefined): void {
    if (this.#arrears === undefined || !wrote || this.#arrears.tags === (tags && keyOf(tags))) {
      return;
    }
    this.#arrears = certain ? undefined : { ...this.#arrears, optional: true };
  }

  /** Why a report is false, if it is. */
  #judge(report: Report, check: Check, tags: Tags | undefined): string | undefined {
    if (tags === undefined) {
      return 'it is not on a schedule';
    }
    switch (report.kind) {
      case 'broken tags':
        return tags.valid ? 'its tags are valid' : this.#brokenTags.onReported(check, keyOf(tags));
      case 'caught up':
        return this.#judgeCaughtUp(report.newest, check);
      default:
        return this.#judgeMissing(report, check, tags) ?? this.#judgeRepeated(report, check);
    }
  }

  #judgeCaughtUp(newest: number, { ended }: Check): string | undefined {
    if (this.#arrears === undefined) {
      return this.#isRemembered ? 'nothing was missing' : undefined;
    }
    const isThere = this.#evidence.hasDump(newest, ended) && newest >= this.#arrears.last;
    return isThere ? undefined : `there is no dump since ${iso(this.#arrears.last)}`;
  }

  #judgeMissing({ kind, missing, newest }: MissingReport, check: Check, tags: Tags): string | undefined {
    const { first, last, count } = missing;
    const { started, ended } = check;
    const evidence = this.#evidence;
    const due = this.#due(tags, first, last);
    const since = this.#sightings.maySince(keyOf(tags)) ?? Infinity;
    if (due[0] !== first || due.at(-1) !== last) {
      return `${iso(first)} or ${iso(last)} is not a scheduled time`;
    }
    if (first <= since + GRACE) {
      return `the tags do not owe the dump of ${iso(first)} yet`;
    }
    if (last + this.#terms.overdueAfter > ended) {
      return `the dump of ${iso(last)} may still be made in time`;
    }
    const lacking = (instant: number): number => due.filter((time) => !evidence.hasDump(time, instant)).length;
    if (count > lacking(started) || count < lacking(ended)) {
      return `${lacking(ended)} and not ${count} dumps are missing from ${iso(first)} to ${iso(last)}`;
    }
    const [before, after] = [evidence.newest(started), evidence.newest(ended)];
    if (newest === undefined ? evidence.mustHaveDump(check) : newest !== before && newest !== after) {
      return `the newest dump is that of ${iso(after ?? 0)}, not ${newest === undefined ? 'none' : `of ${iso(newest)}`}`;
    }
    if (kind === 'lost') {
      return (after ?? 0) > last ? undefined : 'no later dump is there';
    }
    if ((before ?? 0) >= last) {
      return `the dump of ${iso(before ?? 0)} is there`;
    }
    const isWrong = kind === 'late' ? !evidence.mayBeGoing(last, check) : evidence.mustBeGoing(last, check);
    return isWrong ? `the run of ${iso(last)} is ${kind === 'late' ? 'not ' : ''}going` : undefined;
  }

  /** A report has to be news: of another dump, or that a late one is overdue, or a daily reminder. */
  #judgeRepeated({ kind, missing: { last } }: MissingReport, { started }: Check): string | undefined {
    const arrears = this.#arrears;
    const isNews =
      !this.#reported.some((span) => span.last >= last) ||
      (kind === 'overdue' && arrears?.kind === 'late') ||
      (arrears !== undefined && started - arrears.started >= REMINDER);
    return isNews || !this.#isRemembered ? undefined : `${iso(last)} was reported before`;
  }

  #remember(report: Report, { started, certain }: Check, tags: Tags | undefined): void {
    if (report.kind === 'caught up') {
      this.#arrears = undefined;
    } else if (report.kind !== 'broken tags' && tags !== undefined) {
      const { kind, missing } = report;
      this.#reported = [...this.#reported.slice(-MOST_REPORTED), missing];
      if (kind !== 'lost') {
        this.#arrears = { tags: keyOf(tags), last: missing.last, kind, started, uncertain: !certain, optional: false };
      }
    }
  }

  /** Missing dumps that were not reported, although the check must have found out. */
  #unreportedDumps(check: Check, seen: Tags | undefined): readonly string[] {
    const { started, ended } = check;
    const open = this.#pending.filter(({ due }) => due + this.#terms.overdueAfter > started);
    const unreported = this.#pending.filter(({ due, tags }) => {
      const since = this.#sightings.mustSince(this.#sighting(tags, check)) ?? Infinity;
      const isInForce = seen !== undefined && keyOf(seen) === keyOf(tags);
      const isOwed = isInForce && due > since + GRACE && due + this.#terms.overdueAfter <= started;
      const isReported = this.#reported.some(({ first, last }) => first <= due && due <= last);
      return isOwed && !isReported && !this.#evidence.hasDump(due, ended);
    });
    this.#pending = open;
    return unreported.map(({ due }) => `The dump of ${iso(due)} is missing.`);
  }

  #unreportedTags(check: Check, tags: Tags | undefined): readonly string[] {
    const isUnreported = tags?.valid === false && this.#brokenTags.isUnreported(check, this.#sighting(tags, check));
    return isUnreported ? ['Its tags have not been valid for a day.'] : [];
  }

  /** What has changed since the last report, and was not reported. */
  #unreportedChange(check: Check): readonly string[] {
    const arrears = this.#arrears;
    if (arrears === undefined) {
      return [];
    }
    const { last, kind, started, uncertain, optional } = arrears;
    if ((this.#evidence.newest(check.started) ?? 0) >= last) {
      this.#arrears = undefined;
      return uncertain || optional ? [] : [`The dump of ${iso(last)} is caught up.`];
    }
    if (optional || (this.#evidence.newest(check.ended) ?? 0) >= last) {
      return [];
    }
    // If it had been forgotten, this check would have reported it.
    this.#arrears = { ...arrears, uncertain: false };
    if (kind === 'late' && !this.#evidence.mayBeGoing(last, check)) {
      return [`The dump of ${iso(last)} was late and is overdue now.`];
    }
    return check.started - started >= REMINDER ? [`The dump of ${iso(last)} is still missing after a day.`] : [];
  }

  /** The scheduled times from one to another, each by the rules of time zones of its time. */
  #due({ schedule, timezone = 'UTC' }: Tags, from: number, to: number): readonly number[] {
    const { runtimeUpdate } = this.#terms;
    const former = dueTimes(schedule, formerZone(timezone), from, Math.min(to + 1, runtimeUpdate));
    return [...former, ...dueTimes(schedule, timezone, Math.max(from, runtimeUpdate), to + 1)];
  }

  /** When the rules of a time zone change, its tags may count as new. */
  #sighting(tags: Tags, { started }: Check): Sighting {
    const { timezone = 'UTC' } = tags;
    const rules = started < this.#terms.runtimeUpdate ? formerZone(timezone) : timezone;
    return { tags: keyOf(tags), rules };
  }
}

function keyOf({ schedule, timezone = 'UTC' }: Tags): string {
  return `${schedule}|${timezone}`;
}
