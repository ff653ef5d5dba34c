import { Failure } from '../failure.ts';
import { listed, MANY } from '../listed.ts';
import { log } from '../log.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { nameOf } from '../postgres/quoting.ts';
import { withProgress } from '../progress.ts';
import type { Verification } from './census/count-rows.ts';
import type { ExpectedCensus } from './census/expected-census.ts';
import { type CensusReport, reportCensus } from './census/report-census.ts';
import { compare, type Comparison, keyOf } from './comparison.ts';
import { grantEach } from './grants.ts';
import { type ArchivePart, EndedEarly, type Refusals, restorePart, type RestoreTool, restoring } from './pg-restore.ts';
import { missingStatistics, withoutStatistics } from './statistics.ts';
import { isDamaged } from './stored-dump/damaged.ts';
import { tablesWithRows } from './stored-dump/rows-in-archive.ts';
import type { ArchiveObject, Step, TableOfContents } from './stored-dump/table-of-contents.ts';
import { relationsOf, type TargetObjects } from './target/objects.ts';

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

export interface Restored {
  /** Sentence about the comparison. */
  readonly summary: string;
  /** Why ANALYZE is to be run, as the end of a sentence; undefined if the planner statistics were restored. */
  readonly whyAnalyze: string | undefined;
}

/** Advice after a failed restore. It must not say to drop a database that was already in use. */
const PARTIAL = 'The database contains at most a part of the dump: drop it, and restore into a new one.';
const MIXED = 'In addition to its previous contents, the database contains at most a part of the dump.';

/** The server refused statements, but all rows of the dump are in the database, so that it is worth keeping. */
class RowsRestored extends Failure {}

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
 * Restores an archive, and compares the database with it afterwards.
 *
 * @throws {Failure} `refused` if the server refused statements; `tryAgain` if the connection to it was lost;
 * `verificationFailed` if something is missing all the same, or the data in the archive are damaged
 */
export async function restoreAndCompare(restore: ArchiveRestore, signal: AbortSignal): Promise<Restored> {
  const { tool, contents, archive, databaseBytes, wasEmpty, progress } = restore;
  const entries = missingEntries(restore);
  const state = { started: false };
  const onStarted = () => {
    state.started = true;
  };
  try {
    const work = () => restorePart(tool, { archive, entries, report: log, onStarted }, signal);
    const main = await (progress ? withProgress(restoring(tool, databaseBytes, signal), work) : work());
    const remarks = await restoreFromHead('remarks', restore, warn, signal);
    const refusedRemarks = remarks.count + (await grantEach(remarks.grants, tool, contents, signal));
    const whyAnalyze =
      withoutStatistics(restore) ??
      missingStatistics(restore.objects, (await restoreFromHead('statistics', restore, warn, signal)).count);
    const triggers = await restoreFromHead('event triggers', restore, log, signal);
    const compared = await compareTarget(restore, signal);
    conclude(main, triggers, compared, restore);
    if (refusedRemarks > 0) {
      log(
        `Warning: ${refusedRemarks} of the dump's grants, default privileges, comments and security labels were not restored, ` +
          'or had no effect: see above. No data depends on them, but others may have more or less access than in the source.',
      );
    }
    return { summary: compared.summary, whyAnalyze };
  } catch (error) {
    if (state.started && !(error instanceof RowsRestored)) {
      log(wasEmpty ? PARTIAL : MIXED);
    }
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
    return { count: 0, grants: [], first: '', mayCostRows: false };
  }
  const source = { file: 'file' in archive ? archive.file : contents.head, jobs: 1 };
  const heedsWarnings = step === 'remarks' || step === 'statistics';
  return restorePart(tool, { archive: source, entries, heedsWarnings, report, onStarted: () => undefined }, signal);
}

interface Compared {
  /** What is missing or differs. */
  readonly found: readonly string[];
  /** Whether rows are among it, as far as that was checked. */
  readonly costRows: boolean;
  /**
   * Whether that was checked of all rows. Rows of a table that was there before may be as many as those of the dump.
   */
  readonly isComplete: boolean;
  /** Sentence about what does not. */
  readonly summary: string;
}

/** Compares the database with the archive, and with what was counted in it, and logs the result. */
async function compareTarget(restore: ArchiveRestore, signal: AbortSignal): Promise<Compared> {
  const { tool, objects, census, verification, jobs } = restore;
  const relations = await withConnection(tool.target, tool.policy, signal, relationsOf);
  const comparison = compare(objects, relations);
  const { counts, unpopulated } = comparison;
  log(`Compared with the dump's table of contents, the database has ${counts.join(', ')}.`);
  const report =
    census === undefined
      ? await compareEmpty(comparison, restore, signal)
      : await reportCensus(census, verification, relations, tool, jobs, signal);
  const { differences, summary } = report;
  // A table of an extension is in the census, and not among the objects that the dump creates.
  const missing = [...comparison.missing, ...report.absent.map((table) => ({ ...table, kind: 'TABLE' }))];
  const names = new Set(missing.map((object) => `${object.kind.toLowerCase()} ${nameOf(object)}`));
  const found = [
    ...(names.size > 0 ? [`these are missing: ${listed([...names], MANY)}`] : []),
    ...(unpopulated.length > 0
      ? [`these materialized views are not populated, as they are in the dump: ${listed(unpopulated, MANY)}`]
      : []),
    ...(differences === '' ? [] : [differences]),
  ];
  for (const difference of found) {
    log(`In the database, ${difference}`);
  }
  const isComplete = restore.wasEmpty && report.isComplete;
  const costRows = differences !== '' || missing.some(({ kind }) => kind === 'TABLE');
  return { found, costRows, isComplete, summary };
}

/** Without a census, only tables without any row can be told from those that the dump fills. */
async function compareEmpty(
  { empty }: Comparison,
  { tool, archive }: ArchiveRestore,
  signal: AbortSignal,
): Promise<CensusReport> {
  const summary = 'Its rows were not counted, because the manifest does not say how many the dump has.';
  if ('file' in archive) {
    const lost = await tablesWithRows(empty, archive.file, tool.client, tool.folder, signal);
    log(`${empty.length} of its tables were never filled, and ${lost.length} of these have rows in the dump.`);
    const names = listed(lost.map(nameOf), MANY);
    return {
      absent: [],
      differences: names === '' ? '' : `these tables have rows in the dump and none in the database: ${names}`,
      isComplete: false,
      summary,
    };
  }
  if (empty.length > 0) {
    log(
      `These tables were never filled. Whether the dump has some was not checked, as it is not on the local disk: ` +
        listed(empty.map(nameOf), MANY),
    );
  }
  return { absent: [], differences: '', isComplete: false, summary };
}

/** @throws {Failure} unless everything was restored */
function conclude(
  main: Refusals,
  triggers: Refusals,
  { found, costRows, isComplete }: Compared,
  { isFiltered }: ArchiveRestore,
): void {
  const count = main.count + triggers.count;
  const { first } = main.count > 0 ? main : triggers;
  const refused =
    `The server refused ${count} of the statements; pg_restore executed the rest. The first: ${first} ` +
    '(the log above has all of them, and what is missing).' +
    (isFiltered ? " What refers to something that the dump's filters left out cannot be created." : '');
  if (count > 0 && (costRows || (main.mayCostRows && !isComplete))) {
    throw new Failure('refused', `${refused} Fix the cause, and restore into a new database.`);
  }
  if (count > 0) {
    const reason = main.mayCostRows
      ? 'All tables of the dump are there, with all their rows'
      : 'They neither make nor fill a table, and all tables of the dump are there';
    throw new RowsRestored(
      'refused',
      `${refused} ${reason}, so it need not be restored again: fix the cause, and run them here.`,
    );
  }
  if (found.length > 0) {
    throw new Failure(
      'verificationFailed',
      `The server refused nothing, and yet in the database ${found.join('; ')}. Something in it changes what is ` +
        'restored, such as an event trigger, or somebody else does.',
    );
  }
}
