import { Failure } from '../failure.ts';
import { listed, MANY } from '../listed.ts';
import { log } from '../log.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import { withProgress } from '../progress.ts';
import type { Verification } from './census/count-rows.ts';
import type { ExpectedCensus } from './census/expected-census.ts';
import { keyOf } from './comparison.ts';
import { grantEach } from './grants.ts';
import { type ArchivePart, EndedEarly, type Refusals, restorePart, type RestoreTool, restoring } from './pg-restore.ts';
import { missingStatistics, withoutStatistics } from './statistics.ts';
import { isDamaged } from './stored-dump/damaged.ts';
import type { ArchiveObject, Step, TableOfContents } from './stored-dump/table-of-contents.ts';
import type { TargetObjects } from './target/objects.ts';

export interface ArchiveRestore {
  readonly tool: RestoreTool;
  readonly contents: TableOfContents;
  readonly objects: readonly ArchiveObject[];
  /** What the target database has had before. */
  readonly before: TargetObjects;
  /** Whether the target database was empty. */
  readonly wasEmpty: boolean;
  /** Major version of the target's server. */
  readonly serverMajor: number;
  /** Size on disk of the database that was dumped; zero if unknown. */
  readonly databaseBytes: number;
  readonly archive: ArchivePart['archive'];
  /** Number of parallel connections. */
  readonly jobs: number;
  /** Whether there is a connection to measure the progress. */
  readonly progress: boolean;
  /** What must be in the database; undefined if the manifest does not say. */
  readonly census: ExpectedCensus | undefined;
  readonly verification: Verification;
  /** Whether the manifest says that filters left something out. */
  readonly isFiltered: boolean;
}

/** What the server refused of an archive, by the step. */
export interface Restored {
  readonly contents: Refusals;
  /** No data depend on them. */
  readonly remarks: Pick<Refusals, 'count' | 'messages'>;
  readonly triggers: Refusals;
  /** Why ANALYZE is to be run, as the end of a sentence; undefined if the planner statistics were restored. */
  readonly whyAnalyze: string | undefined;
}

/** pg_restore's words before those of the server. */
const BEFORE_REASON = /^pg_restore: (?:error: )?(?:could not execute query: )?/;

/**
 * The data of tables, or the values of sequences, that the dump creates, and that existed before: rows must not be
 * mixed, nor numbers be given to rows twice. pg_restore's own `--no-data-for-failed-tables` also skips tables that were
 * created, but not quite as intended.
 */
function dataOfExisting(
  { objects, before }: ArchiveRestore,
  creation: 'TABLE' | 'SEQUENCE',
  data: 'TABLE DATA' | 'SEQUENCE SET',
): readonly ArchiveObject[] {
  const existing = new Set(before.relations.map(keyOf));
  const created = new Set(objects.filter(({ kind }) => kind === creation).map(keyOf));
  return objects.filter((object) => object.kind === data && existing.has(keyOf(object)) && created.has(keyOf(object)));
}

/**
 * The schemas that the dump creates, and that existed before. Of `public` it has a statement only if filters name it.
 */
function existingSchemas({ objects, before }: ArchiveRestore): readonly ArchiveObject[] {
  const existing = new Set(before.schemas.map(({ name }) => name));
  return objects.filter(({ kind, name }) => kind === 'SCHEMA' && existing.has(name));
}

/** The entries of the first step, without those of what is there already. */
function missingEntries(restore: ArchiveRestore): readonly number[] {
  const schemas = existingSchemas(restore);
  if (schemas.length > 0) {
    log(`These schemas exist already: ${listed(schemas.map(nameOf), MANY)}`);
  }
  const rows = dataOfExisting(restore, 'TABLE', 'TABLE DATA');
  if (rows.length > 0) {
    log(`These tables exist already, and keep their own rows: ${listed(rows.map(nameOf), MANY)}`);
  }
  const values = dataOfExisting(restore, 'SEQUENCE', 'SEQUENCE SET');
  if (values.length > 0) {
    log(`These sequences exist already, and keep their own values: ${listed(values.map(nameOf), MANY)}`);
  }
  const skipped = new Set([...schemas, ...rows, ...values].map(({ id }) => id));
  return restore.contents.steps.contents.filter((id) => !skipped.has(id));
}

/**
 * Restores an archive.
 *
 * @param onStarted called when the database may change
 * @throws {Failure} `tryAgain` if the connection to the server was lost; `refused` if pg_restore gave up;
 * `verificationFailed` if the data in the archive are damaged
 */
export async function restoreArchive(
  restore: ArchiveRestore,
  signal: AbortSignal,
  onStarted: () => void = () => undefined,
): Promise<Restored> {
  const { tool, archive, databaseBytes, progress } = restore;
  const entries = missingEntries(restore);
  try {
    const work = () => restorePart(tool, { archive, entries, report: log, onStarted }, signal);
    const contents = await (progress ? withProgress(restoring(tool, databaseBytes, signal), work) : work());
    const remarks = await restoreFromHead('remarks', restore, warn, signal);
    const grants = await grantEach(remarks.grants, tool, restore.contents, signal);
    const whyAnalyze =
      withoutStatistics(restore) ??
      missingStatistics(restore.objects, (await restoreFromHead('statistics', restore, warn, signal)).count);
    const triggers = await restoreFromHead('event triggers', restore, log, signal);
    const messages = [...remarks.messages, ...grants];
    return { contents, remarks: { count: remarks.count + grants.length, messages }, triggers, whyAnalyze };
  } catch (error) {
    if (error instanceof EndedEarly && (await isDamaged(archive, tool.client, signal))) {
      throw new Failure(
        'verificationFailed',
        `The dump has damaged data, unlike every dump that was proven. Do not rely on it. ${error.message}`,
        { cause: error },
      );
    }
    throw error;
  }
}

function warn(message: string): void {
  log(message.replace(BEFORE_REASON, 'Warning: not restored: '));
}

/** Restores a later step, which needs no data, and so no stream of them. */
async function restoreFromHead(
  step: Exclude<Step, 'contents'>,
  { tool, contents, archive }: ArchiveRestore,
  report: (message: string) => void,
  signal: AbortSignal,
): Promise<Refusals> {
  const entries = contents.steps[step];
  if (entries.length === 0) {
    return { count: 0, grants: [], messages: [], mayCostRows: false };
  }
  const source = { file: 'file' in archive ? archive.file : contents.head, jobs: 1 };
  const heedsWarnings = step === 'remarks' || step === 'statistics';
  return restorePart(tool, { archive: source, entries, heedsWarnings, report, onStarted: () => undefined }, signal);
}
