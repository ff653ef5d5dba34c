import { FEW, listed } from '../listed.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { CensusComparison, Difference } from '../restore/census/compare-with-census.ts';
import type { ExpectedTable } from '../restore/census/expected-census.ts';
import { counted } from '../restore/census/result.ts';
import type { Compared } from '../restore/compare-target.ts';
import { keyOf } from '../restore/comparison.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import type { Evidence, Verdict } from './evidence.ts';
import type { Lacking } from './lacking.ts';

/** What is known after a dump was restored and compared. */
export interface Findings {
  readonly compared: Pick<Compared, 'missing' | 'unpopulated' | 'census'>;
  readonly lacking: Lacking;
  /** Messages about the statements that the server refused. */
  readonly refused: readonly string[];
  /** How many these are. */
  readonly refusedCount: number;
}

/** The part of the evidence that follows from it. */
export type Judgement = Pick<
  Evidence,
  'verdict' | 'reason' | 'tables' | 'rows' | 'largeObjects' | 'differences' | 'notRestored' | 'refused' | 'notCompared'
>;

const NO_CENSUS =
  'the rows, because the manifest does not say how many the dump has: an earlier version wrote it, or a later attempt ' +
  'than the one that made the dump';

/**
 * Judges a drill: `equal` only if all of the dump was restored, and all of its rows were compared. A table that is not
 * there because of what the server lacks is no difference.
 */
export function judge({ compared, lacking, refused, refusedCount }: Findings): Judgement {
  const { missing, unpopulated, census } = compared;
  const explained = new Set(lacking.dependents.map(keyOf));
  const differences = [
    ...(census?.absent ?? []).filter((table) => !explained.has(keyOf(table))).map(absence),
    ...(census?.differences ?? []),
  ];
  const notRestored = [
    ...lacking.what,
    ...withoutData(lacking.dependents).map(({ of, ...object }) => ({
      what: described(object),
      reason: `it depends on ${of}`,
    })),
    ...missing
      .filter((object) => !explained.has(keyOf(object)))
      .map((object) => ({ what: described(object), reason: 'it is missing in the restored database' })),
    ...unpopulated.map((name) => ({ what: `materialized view ${name}`, reason: 'it is not populated' })),
  ];
  const found = {
    differences: differences.map(entryOf),
    notRestored,
    refused: refused.map(statementOf),
    notCompared: census === undefined ? [NO_CENSUS] : [...census.hidden],
  };
  return {
    verdict: verdictOf(found, refusedCount),
    reason: reasonOf(found, refusedCount, census),
    ...found,
    tables: census === undefined ? null : { total: census.tables, equal: census.equal },
    rows: census?.rows ?? null,
    largeObjects: census?.largeObjects ?? null,
  };
}

type Found = Pick<Judgement, 'differences' | 'notRestored' | 'refused' | 'notCompared'>;

function verdictOf({ differences, notRestored, notCompared }: Found, refused: number): Verdict {
  if (differences.length > 0) {
    return 'different';
  }
  return notRestored.length > 0 || notCompared.length > 0 || refused > 0 ? 'incomplete' : 'equal';
}

function reasonOf(
  { differences, notRestored, notCompared }: Found,
  refused: number,
  census: CensusComparison | undefined,
): string {
  const equal =
    census === undefined
      ? ''
      : `${census.equal} of ${census.tables} tables are equal (${census.rows} rows` +
        `${census.largeObjects === 0 ? '' : `, ${census.largeObjects} large objects`})`;
  const texts = [
    ...(equal === '' ? [] : [equal]),
    ...(differences.length > 0 ? [`these differ: ${named(differences.map(({ text }) => text))}`] : []),
    ...(notRestored.length > 0
      ? [`not restored: ${named(notRestored.map(({ what, reason }) => `${what} (${reason})`))}`]
      : []),
    ...(refused > 0 ? [`the server refused ${refused} of the statements`] : []),
    ...(notCompared.length > 0 ? [`not compared: ${named(notCompared)}`] : []),
  ];
  return `${texts.join('; ')}.`;
}

/** In a sentence; the evidence has all. */
function named(texts: readonly string[]): string {
  return listed(texts, FEW);
}

function described(object: Pick<ArchiveObject, 'kind' | 'schema' | 'name'>): string {
  return `${object.kind.toLowerCase()} ${nameOf(object)}`;
}

/** Without the data of a table that is among them itself. Those of an extension's own table are not. */
function withoutData(dependents: Lacking['dependents']): Lacking['dependents'] {
  const tables = new Set(dependents.filter(({ kind }) => kind === 'TABLE').map(keyOf));
  return dependents.filter((object) => object.kind !== 'TABLE DATA' || !tables.has(keyOf(object)));
}

function absence(table: ExpectedTable): Difference {
  const text = `${nameOf(table)}: ${counted(table.count, 'row')} in the dump, and the database has no such table`;
  return { table, expected: table, found: undefined, text };
}

function entryOf({ table, expected, found, text }: Difference): Evidence['differences'][number] {
  return {
    schema: table?.schema ?? null,
    table: table?.name ?? null,
    expected: { count: expected.count, contentHash: expected.hash },
    found:
      found === undefined || 'kind' in found
        ? null
        : { count: found.count, contentHash: 'hash' in found ? found.hash : null },
    text,
  };
}

const BEFORE_REASON = /^pg_restore: (?:error: )?(?:could not execute query: )?/;
const COMMAND = '\nCommand was: ';

function statementOf(message: string): Evidence['refused'][number] {
  const [reason = '', statement = ''] = message.split(COMMAND);
  return { statement, reason: reason.replace(BEFORE_REASON, '') };
}
