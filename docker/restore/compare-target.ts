import { listed, MANY } from '../listed.ts';
import { log } from '../log.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { CensusComparison } from './census/compare-with-census.ts';
import { type CensusReport, reportCensus } from './census/report-census.ts';
import { compare, type Comparison } from './comparison.ts';
import type { ArchiveRestore } from './restore-archive.ts';
import { tablesWithRows } from './stored-dump/rows-in-archive.ts';
import { relationsOf } from './target/objects.ts';

/** How a database compares with the archive that was restored into it. */
export interface Compared extends Pick<Comparison, 'missing' | 'unpopulated'> {
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
  /** How its rows compare with the census; undefined if the manifest has none. */
  readonly census: CensusComparison | undefined;
}

type Report = Omit<CensusReport, 'comparison'> & { readonly comparison?: CensusComparison };

/** Compares the database with the archive, and with what was counted in it, and logs the result. */
export async function compareTarget(restore: ArchiveRestore, signal: AbortSignal): Promise<Compared> {
  const { tool, objects, census, verification, jobs } = restore;
  const relations = await withConnection(tool.target, tool.policy, signal, relationsOf);
  const comparison = compare(objects, relations);
  const { counts, unpopulated } = comparison;
  log(`Compared with the dump's table of contents, the database has ${counts.join(', ')}.`);
  const report: Report =
    census === undefined
      ? await compareEmpty(comparison, restore, signal)
      : await reportCensus(census, verification, relations, tool, jobs, signal);
  const { differences, summary } = report;
  const { missing } = comparison;
  // A table of an extension is in the census, and not among the objects that the dump creates.
  const absent = [...missing, ...report.absent.map((table) => ({ ...table, kind: 'TABLE' }))];
  const names = new Set(absent.map((object) => `${object.kind.toLowerCase()} ${nameOf(object)}`));
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
  const costRows = differences !== '' || absent.some(({ kind }) => kind === 'TABLE');
  return { found, costRows, isComplete, summary, missing, unpopulated, census: report.comparison };
}

/** Without a census, only tables without any row can be told from those that the dump fills. */
async function compareEmpty(
  { empty }: Comparison,
  { tool, archive }: ArchiveRestore,
  signal: AbortSignal,
): Promise<Report> {
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
