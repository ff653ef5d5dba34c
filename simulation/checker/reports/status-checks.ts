import { z } from 'zod';
import { iso } from '../../runtime/time.ts';
import type { Invocation } from '../../services/lambda/invocation.ts';
import type { Tags } from '../../workload/random-tags.ts';
import type { Check, Evidence } from './evidence.ts';
import type { SecretReports } from './secret-reports.ts';

/** The status that a check writes, as documented, as far as it is checked. */
const statusSchema = z.object({
  generatedAt: z.string(),
  secrets: z.array(
    z.object({
      secret: z.string(),
      state: z.string(),
      newest: z.object({ key: z.string(), scheduledFor: z.iso.datetime() }).optional(),
      missing: z.object({}).optional(),
      drills: z.object({ missing: z.object({}).optional(), problem: z.string().optional() }).optional(),
      drill: z.object({ verdict: z.string() }).optional(),
      manifest: z.object({ scheduledFor: z.iso.datetime(), problem: z.string().optional() }).optional(),
    }),
  ),
});

type Entry = z.infer<typeof statusSchema>['secrets'][number];

/** The states of a secret that misses dumps. */
const MISSING: readonly string[] = ['overdue', 'failing', 'late'];

/** The states of a secret whose drills are in trouble, and not its dumps. */
const DRILLS: readonly string[] = ['drill overdue', 'drill failed'];

/** What a check knew of the dumps of a secret, and has reported of them. */
export interface KnownSecret extends KnownRuns {
  /** The same of its drills. */
  readonly drills: KnownRuns;
}

/** What a check knew of the dumps or the drills of a secret. */
export interface KnownRuns {
  /** Those that it saw, if any. */
  readonly tags: Tags | undefined;
  readonly evidence: Evidence;
  readonly reports: SecretReports;
}

/**
 * What is wrong with the status of a check, by the name of a secret: it must have each secret on a schedule and no
 * other, in the state that was reported, and say which manifests could not be read.
 *
 * @param known by name
 */
export function problemsOfStatus(
  text: string,
  check: Check,
  invocation: Invocation,
  known: ReadonlyMap<string, KnownSecret>,
): readonly (readonly [name: string | undefined, problem: string])[] {
  const { generatedAt, secrets } = statusSchema.parse(JSON.parse(text));
  if (generatedAt !== iso(check.started)) {
    return [[undefined, `it is that of ${generatedAt}`]];
  }
  const entries = new Map(secrets.map((entry) => [entry.secret, entry]));
  const failed = [...invocation.calls.values()].filter((call) => call.mayFail && call.failed);
  return [...known].flatMap(([name, secret]) => {
    const keys = failed.map(({ subject }) => subject).filter((key) => key.startsWith(`${name}/`));
    const problem = problemOf(entries.get(name), secret, check, keys);
    return problem === undefined ? [] : [[name, problem] as const];
  });
}

/** @param unread keys of the manifests and the evidence of its dumps that could not be read */
function problemOf(
  entry: Entry | undefined,
  { tags, evidence, reports, drills }: KnownSecret,
  { ended }: Check,
  unread: readonly string[],
): string | undefined {
  const isScheduled = tags !== undefined || drills.tags !== undefined;
  if (entry === undefined || !isScheduled) {
    return (entry !== undefined) === isScheduled ? undefined : `it is ${entry === undefined ? 'left out' : 'there'}`;
  }
  const { state, newest, manifest, missing } = entry;
  const isMissing = tags?.valid === true ? reports.isMissing : false;
  const isAboutDrills = DRILLS.includes(state) || (state === 'broken tag' && tags?.valid !== false);
  const saysMissing = isAboutDrills ? missing !== undefined : MISSING.includes(state);
  const isBroken = tags?.valid === false || (drills.tags?.valid === false && !MISSING.includes(state));
  const isWithoutDumps = tags === undefined && !isAboutDrills;
  if (
    (state === 'broken tag') !== isBroken ||
    (state === 'drills only') !== isWithoutDumps ||
    (isMissing ?? saysMissing) !== saysMissing
  ) {
    return `its state is ${state}`;
  }
  const problem = problemOfDrills(entry, drills);
  if (problem !== undefined) {
    return problem;
  }
  if (newest !== undefined && !evidence.hasDump(Date.parse(newest.scheduledFor), ended)) {
    return `there is no dump of ${newest.scheduledFor}`;
  }
  const isNoted = unread.every((key) => {
    if (!key.endsWith('.dmp.json')) {
      return entry.drills?.problem !== undefined;
    }
    // Any other manifest is that of a dump to compare with, which the next dump is compared with again.
    return key !== `${newest?.key}.json` || manifest?.problem !== undefined;
  });
  return isNoted ? undefined : 'it does not say that a manifest or evidence could not be read';
}

function problemOfDrills({ state, drills, drill }: Entry, { tags, evidence, reports }: KnownRuns): string | undefined {
  if (drills === undefined || tags === undefined) {
    return drills === tags ? undefined : `its drills are ${drills === undefined ? 'left out' : 'there'}`;
  }
  const saysMissing = drills.missing !== undefined;
  const isMissing = tags.valid ? reports.isMissing : false;
  if ((isMissing ?? saysMissing) !== saysMissing || (state === 'drill overdue' && !saysMissing)) {
    return `it says that ${saysMissing ? 'a' : 'no'} drill is missing`;
  }
  return drill === undefined || evidence.newest(Infinity) !== undefined ? undefined : 'it has never been drilled';
}
