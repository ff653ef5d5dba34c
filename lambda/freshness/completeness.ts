import type { S3Client } from '@aws-sdk/client-s3';
import type { ExecutionInput } from '../../contract.ts';
import { type Completeness, completenessBy } from '../core/freshness/completeness.ts';
import type { Found, FoundObjects, ListedObject } from '../core/freshness/found.ts';
import type { Arrears } from '../core/freshness/memory.ts';
import type { CheckContext } from './check-context.ts';
import { readBeside } from './read-beside.ts';
import { describeRun } from './runs.ts';

/** What runs of several databases have left. */
export interface ProvenRuns extends Pick<Found, 'incomplete'> {
  /** Without runs that lack dumps, but whose time to have them has not come. */
  readonly objects: FoundObjects;
  /** Whether the newest of them has, as far as that is known, several databases. */
  readonly isOfSeveral: boolean;
}

/** What is looked for. */
export interface WantedRuns extends Pick<ExecutionInput, 'secretArn' | 'tagsHash'> {
  /** Scheduled times. */
  readonly wanted: readonly string[];
  readonly arrears: Arrears | undefined;
}

/**
 * Finds out whether runs have dumped all of their databases: those that are wanted, and the others down to the newest
 * that has. In between, those that were in arrears at earlier checks still are.
 *
 * @throws {Error} if S3 or Step Functions cannot be asked
 */
export async function provenRuns(listed: FoundObjects, runs: WantedRuns, context: CheckContext): Promise<ProvenRuns> {
  const objects = new Map(listed);
  const incomplete = new Map<string, Exclude<Completeness, string>>();
  const owedUntil = context.now.getTime() - context.terms.overdueAfterMs;
  const { wanted, arrears } = runs;
  let newest: Completeness | undefined;
  let isSettled = false;
  for (const [when, dumps] of [...listed].toSorted(([one], [other]) => (one < other ? 1 : -1))) {
    if (!wanted.includes(when) && arrears !== undefined && when >= arrears.first && when < arrears.last) {
      incomplete.set(when, { dumped: dumps.length, missing: [] });
    } else if (wanted.includes(when) || !isSettled) {
      const completeness = await completenessOf(dumps, { ...runs, when }, context);
      if (typeof completeness === 'string') {
        isSettled = true;
      } else if (Date.parse(when) > owedUntil) {
        objects.delete(when);
        continue;
      } else {
        incomplete.set(when, completeness);
      }
      newest ??= completeness;
    }
  }
  return { objects, incomplete, isOfSeveral: newest !== 'single' };
}

/**
 * Whether a run has dumped all of its databases. If it has ended well, it has, although it lacks a dump: that database
 * was dropped while the run was going.
 */
async function completenessOf(
  dumps: readonly ListedObject[],
  { secretArn, tagsHash, when }: ExecutionInput,
  { s3, stepFunctions, stateMachineArn }: CheckContext,
): Promise<Completeness> {
  const completeness = await describedBy(s3, dumps);
  if (typeof completeness === 'string') {
    return completeness;
  }
  const { status } = await describeRun(stepFunctions, stateMachineArn, { secretArn, tagsHash, when });
  return status === 'succeeded' ? 'whole' : completeness;
}

/**
 * By the manifest of the dump that was written last: the databases of the server may have changed since the first.
 *
 * @throws {Error} if S3 does not serve it now
 */
async function describedBy(client: S3Client, dumps: readonly ListedObject[]): Promise<Completeness> {
  const keys = new Set(dumps.map(({ key }) => key));
  const described = dumps.filter(({ hasManifest }) => hasManifest);
  for (const { bucket, key } of described.toSorted((one, other) => other.written.getTime() - one.written.getTime())) {
    const read = await readBeside(client, { bucket, key: `${key}.json` }, 'manifest');
    if ('problem' in read && read.mayChange && !read.isMissing) {
      throw new Error(`s3://${bucket}/${key}: ${read.problem}`);
    }
    const completeness = 'text' in read ? completenessBy(read.text, keys) : undefined;
    if (completeness !== undefined) {
      return completeness;
    }
  }
  return { dumped: keys.size, missing: [] };
}
