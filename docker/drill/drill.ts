import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { Attempts } from '../attempts.ts';
import { awsFailure, openS3 } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { formatBytes } from '../progress.ts';
import { findStoredDump, type StoredDump } from '../restore/stored-dump/stored-dump.ts';
import type { RunContext } from '../run-context.ts';
import type { DumpObject } from '../s3/object.ts';
import { putNew } from '../s3/put-new.ts';
import { inWholeSeconds, stopwatch } from '../time.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { newestDumps } from './newest-dumps.ts';
import type { DrillOptions } from './options.ts';
import { restoreDump } from './restore-dump.ts';
import { judge, type Judgement, untrue } from './verdict.ts';

/** Lines of the log about what differs, and about what was not restored. The evidence has all. */
const SHOWN = 50;

/** What is known of a drill, however it ends. */
interface Known {
  dump?: StoredDump;
  usable?: number;
  versions?: Evidence['versions'];
}

/**
 * Drills a dump, or the newest one of each database of a secret, one after another. When it returns, all of them are
 * equal.
 *
 * @throws {Failure} as {@link drillDump} does; of several dumps, it names all that are not equal
 */
export async function drill(options: DrillOptions, context: RunContext): Promise<void> {
  const { signal } = context;
  const s3 = openS3(options.region);
  try {
    const dumps = 'bucket' in options.dump ? [options.dump] : await newestDumps(s3, options.dump, signal);
    const [only, ...others] = dumps;
    if (only !== undefined && others.length === 0) {
      await drillDump(s3, only, options, context);
    } else {
      await drillEach(s3, dumps, options, context);
    }
  } finally {
    s3.destroy();
  }
}

async function drillEach(
  s3: S3Client,
  dumps: readonly DumpObject[],
  options: DrillOptions,
  context: RunContext,
): Promise<void> {
  const attempts = new Attempts(context.signal);
  const urlOf = ({ bucket, key }: DumpObject) => `s3://${bucket}/${key}`;
  for (const dump of dumps) {
    await attempts.make(urlOf(dump), () => drillDump(s3, dump, options, context));
  }
  const equal = dumps.filter((dump) => !attempts.failed(urlOf(dump)));
  const summary = `${equal.length} of ${dumps.length} dumps are equal.`;
  attempts.conclude(summary);
  log(`Done: ${summary}`);
}

/**
 * Restores a dump into a server that exists only for that, compares the two, and leaves the evidence beside the dump.
 * When it returns, all that the dump has was restored, and all rows and large objects are those that were proven.
 *
 * @throws {Failure} `verificationFailed` with the verdict, if that is another than `equal`; `refused` or `tryAgain` if
 * there is none; any other error, except the signal's reason, is an internal error
 */
async function drillDump(s3: S3Client, object: DumpObject, options: DrillOptions, context: RunContext): Promise<void> {
  const startedAt = new Date();
  const seconds = stopwatch();
  const folder = await mkdtemp(join(options.scratch, 'autodump-'));
  try {
    const known: Known = {};
    const judgement = await drillOne(s3, object, { ...options, folder, seconds }, known, context);
    reportFindings(judgement);
    const evidence: Evidence = {
      version: 1,
      dump: { ...object, bytes: known.dump?.bytes ?? null, sha256: sha256Of(known.dump) },
      ...judgement,
      seconds: { usable: known.usable ?? null, total: seconds() },
      versions: known.versions ?? { server: null, pgRestore: null },
      startedAt: inWholeSeconds(startedAt),
      finishedAt: inWholeSeconds(new Date()),
      execution: options.execution,
    };
    await writeEvidence(s3, evidenceOf(object, options.when), evidence);
    conclude(evidence);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Place extends Pick<DrillOptions, 'scratch'> {
  readonly folder: string;
  /** Since the start. */
  readonly seconds: () => number;
}

/** @returns with the verdict `failed` if there is something wrong with the dump as a whole */
async function drillOne(
  s3: S3Client,
  object: DumpObject,
  place: Place,
  known: Known,
  context: RunContext,
): Promise<Judgement> {
  try {
    const dump = await findStoredDump(s3, object, context.signal);
    known.dump = dump;
    log(`Drilling s3://${object.bucket}/${object.key}, ${formatBytes(dump.bytes)}`);
    const observer = {
      onServer: (server: string, pgRestore: string) => {
        known.versions = { server, pgRestore };
      },
      onRestored: () => {
        known.usable = place.seconds();
        log(`The database is usable ${known.usable} s after the start.`);
      },
    };
    return judge(await restoreDump(s3, dump, place, observer, context));
  } catch (error) {
    if (!(error instanceof Failure && error.reason === 'verificationFailed')) {
      throw error;
    }
    return {
      ...{ verdict: 'failed', reason: error.message, tables: null, rows: null, largeObjects: null },
      ...{ differences: [], notRestored: [], refused: [], notCompared: [], assertions: null },
    };
  }
}

function sha256Of(dump: StoredDump | undefined): string | null {
  return dump?.checksum.algorithm === 'SHA-256' && dump.checksum.sections === undefined ? dump.checksum.value : null;
}

function reportFindings(judgement: Judgement): void {
  const { differences, notRestored, notCompared } = judgement;
  const lines = [
    ...untrue(judgement).map((what) => `Assertion not true: ${what}`),
    ...differences.map(({ text }) => `Different: ${text}`),
    ...notRestored.map(({ what, reason }) => `Not restored: ${what}: ${reason}`),
    ...notCompared.map((what) => `Not compared: ${what}`),
  ];
  for (const line of lines.slice(0, SHOWN)) {
    log(line);
  }
  if (lines.length > SHOWN) {
    log(`The evidence has ${lines.length - SHOWN} more.`);
  }
}

/** @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 stored other bytes */
async function writeEvidence(s3: S3Client, { bucket, key }: DumpObject, evidence: Evidence): Promise<void> {
  const url = `s3://${bucket}/${key}`;
  try {
    const result = await putNew(s3, { bucket, key }, evidence);
    log(result === 'written' ? `Evidence: ${url}` : `The evidence of an earlier attempt is kept: ${url}`);
  } catch (error) {
    throw awsFailure(`write the evidence ${url} (the verdict is ${evidence.verdict}: ${evidence.reason})`, error);
  }
}

/** @throws {Failure} `verificationFailed` unless the verdict is `equal` */
function conclude({ dump: { bucket, key }, verdict, reason, versions, seconds }: Evidence): void {
  const url = `s3://${bucket}/${key}`;
  if (verdict !== 'equal') {
    throw new Failure('verificationFailed', `The drill of ${url} has the verdict ${verdict}: ${reason}`);
  }
  log(
    `Done: ${url} was restored into PostgreSQL ${versions.server ?? ''}, usable after ${seconds.usable ?? 0} s, and is equal: ${reason}`,
  );
}
