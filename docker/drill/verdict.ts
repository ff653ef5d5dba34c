import { FEW, listed } from '../listed.ts';
import { onOneLine } from '../log.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { CensusComparison, Difference } from '../restore/census/compare-with-census.ts';
import type { ExpectedTable } from '../restore/census/expected-census.ts';
import { counted } from '../restore/census/result.ts';
import type { Compared } from '../restore/compare-target.ts';
import { keyOf } from '../restore/comparison.ts';
import type { ArchiveObject } from '../restore/stored-dump/table-of-contents.ts';
import type { Assertion } from './assertions.ts';
import type { Evidence, Verdict } from './evidence.ts';
import type { Lacking } from './lacking-on-server.ts';

/** What is known after a dump was restored and compared. */
export interface Findings {
  readonly compared: Pick<Compared, 'missing' | 'unpopulated' | 'census'>;
  readonly lacking: Lacking;
  /** Messages about the statements that the server refused. */
  readonly refused: readonly string[];
  /** How many these are. */
  readonly refusedCount: number;
  /** Null if the manifest does not say which there are. */
  readonly assertions: readonly Assertion[] | null;
}

/** The part of the evidence that follows from it. */
export type Judgement = Pick<
  Evidence,
  | 'verdict'
  | 'reason'
  | 'tables'
  | 'rows'
  | 'largeObjects'
  | 'differences'
  | 'notRestored'
  | 'refused'
  | 'notCompared'
  | 'assertions'
>;

const NO_CENSUS =
  'the rows, because the manifest does not say how many the dump has: an earlier version wrote it, or a later attempt ' +
  'than the one that made the dump';

/**
 * Judges a drill: `equal` only if all of the dump was restored, all of its rows were compared, and all assertions are
 * true. A table that is not there because of what the server lacks is no difference.
 */
export function judge({ compared, lacking, refused, refusedCount, assertions }: Findings): Judgement {
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
    assertions: assertions === null ? null : [...assertions],
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

type Found = Pick<Judgement, 'differences' | 'notRestored' | 'refused' | 'notCompared' | 'assertions'>;

/** Assertions that are not true, in words. */
export function untrue({ assertions }: Pick<Judgement, 'assertions'>): readonly string[] {
  return (assertions ?? []).flatMap(({ sql, result, reason }) =>
    result === 'true' ? [] : [`${shortened(sql)} (${reason ?? `it is ${result}`})`],
  );
}

/** Characters of an assertion in a sentence; the evidence has all. */
const MOST_CHARACTERS = 200;

function shortened(sql: string): string {
  const line = onOneLine(sql);
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)} …` : line;
}

function verdictOf(found: Found, refused: number): Verdict {
  const { differences, notRestored, notCompared } = found;
  if (differences.length > 0 || untrue(found).length > 0) {
    return 'different';
  }
  return notRestored.length > 0 || notCompared.length > 0 || refused > 0 ? 'incomplete' : 'equal';
}

function reasonOf(found: Found, refused: number, census: CensusComparison | undefined): string {
  const { differences, notRestored, notCompared, assertions } = found;
  const failed = untrue(found);
  const asked = assertions?.length ?? 0;
  const equal =
    census === undefined
      ? ''
      : `${census.equal} of ${census.tables} tables are equal (${census.rows} rows` +
        `${census.largeObjects === 0 ? '' : `, ${census.largeObjects} large objects`})`;
  const texts = [
    ...(equal === '' ? [] : [equal]),
    ...(asked > 0
      ? [`${asked - failed.length} of ${counted(asked, 'assertion')} ${asked === 1 ? 'is' : 'are'} true`]
      : []),
    ...(differences.length > 0 ? [`these differ: ${named(differences.map(({ text }) => text))}`] : []),
    ...(failed.length > 0 ? [`not true: ${listed(failed, FEW, '; ')}`] : []),
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
