import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openS3 } from '../aws.ts';
import { freeSpace } from '../disk.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { describeLeftOut } from '../postgres/filters/left-out.ts';
import { formatBytes } from '../progress.ts';
import type { RunContext } from '../run-context.ts';
import type { Verification } from './census/count-rows.ts';
import { expectedCensus } from './census/expected-census.ts';
import type { RestoreOptions } from './options.ts';
import { prepare } from './prepare.ts';
import { restoreAndCompare } from './restore-and-compare.ts';
import { createRoles } from './roles/create-roles.ts';
import { fetchAndCheck, readContents } from './stored-dump/fetch-dump.ts';
import { findStoredDump, readStoredDump, type StoredDump } from './stored-dump/stored-dump.ts';

/** Scratch space to leave free for other files. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/**
 * Restores one dump. When it returns, the bytes of the dump were the proven ones, and its tables, views, sequences and
 * indexes are in the database. The tables have as many rows as were counted when the dump was proven, except for those
 * that the log lists as not compared, and for a dump whose manifest has no census. Everything that can be checked is
 * checked before the database is changed.
 *
 * @throws {Failure} with the reason; any other error, except the signal's reason, is an internal error
 */
export async function restore(options: RestoreOptions, context: RunContext): Promise<void> {
  const { signal } = context;
  const s3 = openS3(options.region);
  const folder = await mkdtemp(join(options.scratch, 'autodump-'));
  try {
    const dump = await findStoredDump(s3, options.object, signal);
    log(`Restoring s3://${dump.object.bucket}/${dump.object.key}, ${formatBytes(dump.bytes)}`);
    const leftOut = dump.leftOut === null ? '' : describeLeftOut(dump.leftOut);
    if (leftOut !== '') {
      log(`It was made with filters, which left out ${leftOut}`);
    }
    checkVerifiable(dump, options.verification);
    const contents = await readContents(s3, dump, folder, signal);
    const setup = await prepare(options, dump, contents, folder, context);
    const file = (await fits(dump, folder)) ? join(folder, 'dump') : undefined;
    const { blocks } = await fetchAndCheck(s3, dump, file, signal);
    const census = dump.census === null ? undefined : expectedCensus(dump.census, { ...setup, ...setup.tool }, blocks);
    if (setup.missingRoles !== undefined) {
      await createRoles(setup.tool, setup.missingRoles, signal);
    }
    const archive = file === undefined ? { read: () => readStoredDump(s3, dump, signal) } : { file, jobs: setup.jobs };
    const { verification } = options;
    const isFiltered = leftOut !== '';
    const { summary, whyAnalyze } = await restoreAndCompare(
      { ...setup, archive, census, verification, isFiltered },
      signal,
    );
    const { database, host, port } = setup.tool.target;
    log(`Done: the dump is restored into the database "${database}" on ${host} port ${port}. ${summary}`);
    reportStatements(setup.databaseStatements);
    log(
      whyAnalyze === undefined
        ? 'The planner statistics of the dump were restored with it.'
        : `Next: run ANALYZE there, because ${whyAnalyze}.`,
    );
  } finally {
    s3.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

/** They are left to the reader, since the database may have settings of its own, and a limit could shut users out. */
function reportStatements(statements: readonly string[]): void {
  if (statements.length > 0) {
    log(
      'Note: the dumped database had settings, grants, a comment, security labels, a connection limit, an owner or a mark as ' +
        'a template that were not seen in this one, and that are not part of a restore. Run those that you want here. A value shown as … may be secret; ' +
        '`pg_restore --create --schema-only -f -` shows it from the dump:',
    );
  }
  for (const statement of statements) {
    log(statement);
  }
}

/** @throws {Failure} `refused` if the contents cannot be compared */
function checkVerifiable({ object: { bucket, key }, census }: StoredDump, verification: Verification): void {
  if (verification === 'content' && census === null) {
    throw new Failure(
      'refused',
      `The manifest of s3://${bucket}/${key} has no hashes for --verify content to compare with: an earlier version wrote ` +
        'it, or a later attempt than the one that made the dump. Leave the option out.',
    );
  }
}

/** Whether the disk has room for the dump. */
async function fits({ bytes }: StoredDump, folder: string): Promise<boolean> {
  const free = await freeSpace(folder);
  if (bytes + RESERVE_BYTES <= free) {
    return true;
  }
  log(
    `The dump has ${formatBytes(bytes)}, and the local disk only ${formatBytes(free)} free: the dump is read from S3 ` +
      'twice, once to check it and once to restore it, over a single connection.',
  );
  return false;
}
