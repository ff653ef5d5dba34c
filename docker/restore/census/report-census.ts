import { listed, MANY } from '../../listed.ts';
import { log } from '../../log.ts';
import { withConnection } from '../../postgres/connection/connection.ts';
import { whileReporting } from '../../progress.ts';
import type { RestoreTool } from '../pg-restore.ts';
import type { Relation } from '../target/objects.ts';
import { type CensusComparison, compareWithCensus, type Connections } from './compare-with-census.ts';
import type { Verification } from './count-rows.ts';
import type { ExpectedCensus, ExpectedTable } from './expected-census.ts';
import { counted } from './result.ts';

/** What is known after a database was compared with the census of a dump. */
export interface CensusReport {
  /** Tables of the dump that the database does not have. */
  readonly absent: readonly Pick<ExpectedTable, 'schema' | 'name'>[];
  /** What else differs, to continue a sentence about the database; empty if nothing does. */
  readonly differences: string;
  /** Whether all tables and large objects of the dump were compared. */
  readonly isComplete: boolean;
  /** Sentence about what does not. */
  readonly summary: string;
  readonly comparison: CensusComparison;
}

/**
 * Compares a database with the census of a dump, and logs the result.
 *
 * @param relations those in the database
 * @param jobs number of connections
 */
export async function reportCensus(
  census: ExpectedCensus,
  verification: Verification,
  relations: readonly Relation[],
  { target, policy }: Pick<RestoreTool, 'target' | 'policy'>,
  jobs: number,
  signal: AbortSignal,
): Promise<CensusReport> {
  const tables = counted(census.tables.length, 'table');
  log(`${verification === 'rows' ? 'Counting' : 'Reading'} the rows of ${tables} ...`);
  const connections: Connections = {
    count: jobs,
    use: (work) => withConnection(target, policy, signal, work, { isPatient: true }),
  };
  let done = 0;
  const comparison = await whileReporting(
    () => {
      log(`Compared so far: ${done} of ${tables}`);
    },
    () => compareWithCensus(census, verification, relations, connections, () => (done += 1)),
  );
  for (const what of comparison.hidden) {
    log(`Warning: not compared with the dump: ${what}`);
  }
  const summary = summaryOf(comparison, verification);
  log(`Compared with the rows that were counted when the dump was proven: ${summary}`);
  const names = listed(
    comparison.differences.map(({ text }) => text),
    MANY,
    '; ',
  );
  return {
    absent: comparison.absent,
    differences: names === '' ? '' : `these differ from the dump: ${names}`,
    isComplete: comparison.hidden.length === 0 && census.largeObjects !== undefined,
    summary,
    comparison,
  };
}

function summaryOf({ equal, tables, rows, largeObjects }: CensusComparison, verification: Verification): string {
  const [ofTables, ofObjects] =
    verification === 'rows'
      ? ['as many rows as in the dump', 'there are as many large objects']
      : ['the same rows as in the dump', 'the large objects are the same'];
  const also = largeObjects === 0 ? '' : `, and ${ofObjects} (${largeObjects})`;
  return `${equal} of ${tables} tables have ${ofTables} (${rows} in all)${also}.`;
}
