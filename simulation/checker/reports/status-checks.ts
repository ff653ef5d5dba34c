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
      newest: z.object({ scheduledFor: z.iso.datetime() }).optional(),
      manifest: z.object({ scheduledFor: z.iso.datetime(), problem: z.string().optional() }).optional(),
    }),
  ),
});

type Entry = z.infer<typeof statusSchema>['secrets'][number];

/** The states of a secret that misses dumps. */
const MISSING: readonly string[] = ['overdue', 'failing', 'late'];

/** What a check knew of a secret, and has reported of it. */
export interface KnownSecret {
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

/** @param unread keys of the manifests of its dumps that could not be read */
function problemOf(
  entry: Entry | undefined,
  { tags, evidence, reports }: KnownSecret,
  { ended }: Check,
  unread: readonly string[],
): string | undefined {
  if (entry === undefined || tags === undefined) {
    return entry === tags ? undefined : `it is ${entry === undefined ? 'left out' : 'there'}`;
  }
  const { state, newest, manifest } = entry;
  const isMissing = tags.valid ? reports.isMissing : false;
  if ((state === 'broken tag') === tags.valid || (isMissing ?? MISSING.includes(state)) !== MISSING.includes(state)) {
    return `its state is ${state}`;
  }
  if (newest !== undefined && !evidence.hasDump(Date.parse(newest.scheduledFor), ended)) {
    return `there is no dump of ${newest.scheduledFor}`;
  }
  const isNoted = unread.length === 0 || manifest?.problem !== undefined;
  return isNoted ? undefined : 'it does not say that a manifest could not be read';
}
