import { describe, expect, test } from '@jest/globals';
import { type Findings, judge } from '../../../docker/drill/verdict.ts';

const HASH = '00000000000000ff';
const TABLE = { schema: 'public', name: 't' };
const GONE = { ...TABLE, count: 7, hash: HASH, columns: 'i' };
const OTHER = {
  table: TABLE,
  expected: GONE,
  found: { count: 6 },
  text: 'public.t: 7 rows in the dump, 6 in the database',
};
const CENSUS = { equal: 2, tables: 2, rows: 100, largeObjects: 0, absent: [], differences: [], hidden: [] };
const EQUAL: Findings = {
  compared: { missing: [], unpopulated: [], census: CENSUS },
  lacking: { what: [], dependents: [] },
  refused: [],
  refusedCount: 0,
  assertions: [],
};
const EXTENSION = { what: 'extension x', reason: 'the server of the drill does not have it' };
const OF_EXTENSION = { ...TABLE, kind: 'TABLE', of: 'extension x' };

function compared(more: Partial<Findings['compared']>): Findings {
  return { ...EQUAL, compared: { ...EQUAL.compared, ...more } };
}

describe('The verdict', () => {
  test.each<[string, Findings, string]>([
    ['equal', EQUAL, '2 of 2 tables are equal (100 rows).'],
    ['equal', compared({ census: { ...CENSUS, largeObjects: 3 } }), '(100 rows, 3 large objects).'],
    ['different', compared({ census: { ...CENSUS, equal: 1, differences: [OTHER] } }), `these differ: ${OTHER.text}.`],
    [
      'different',
      compared({ census: { ...CENSUS, equal: 1, absent: [GONE] } }),
      'these differ: public.t: 7 rows in the dump, and the database has no such table.',
    ],
    [
      'different',
      { ...compared({ census: { ...CENSUS, absent: [GONE] } }), lacking: { what: [EXTENSION], dependents: [] } },
      'not restored: extension x (the server of the drill does not have it)',
    ],
    [
      'incomplete',
      {
        ...compared({ census: { ...CENSUS, equal: 1, absent: [GONE] } }),
        lacking: { what: [EXTENSION], dependents: [OF_EXTENSION] },
      },
      'not restored: extension x (the server of the drill does not have it), table public.t (it depends on extension x).',
    ],
    ['equal', { ...EQUAL, assertions: [{ sql: 'q', result: 'true', reason: null }] }, '; 1 of 1 assertion is true.'],
    [
      'different',
      { ...EQUAL, refusedCount: 1, assertions: [{ sql: 'SELECT\n  false', result: 'false', reason: null }] },
      '; 0 of 1 assertion is true; not true: SELECT | false (it is false); the server refused 1 of the statements.',
    ],
    ['incomplete', { ...EQUAL, lacking: { what: [EXTENSION], dependents: [] } }, 'not restored: extension x'],
    ['incomplete', { ...EQUAL, refusedCount: 1 }, 'the server refused 1 of the statements.'],
    ['incomplete', compared({ unpopulated: ['public.m'] }), 'materialized view public.m (it is not populated)'],
    ['incomplete', compared({ census: { ...CENSUS, hidden: ['public.t: why'] } }), 'not compared: public.t: why.'],
    ['incomplete', compared({ census: undefined }), 'not compared: the rows, because the manifest does not say'],
    [
      'incomplete',
      compared({ missing: [{ id: 1, kind: 'VIEW', schema: 'public', name: 'v', definition: '' }] }),
      'view public.v (it is missing in the restored database)',
    ],
  ])('is %s', (verdict, findings, reason) => {
    const judgement = judge(findings);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.reason).toContain(reason);
  });

  test('names the first of many, and the evidence has all', () => {
    const differences = Array.from({ length: 7 }, (_, index) => ({ ...OTHER, text: `t${index}` }));
    const { reason, differences: all } = judge(compared({ census: { ...CENSUS, differences } }));
    expect(reason).toContain('these differ: t0, t1, t2, t3, t4, and 2 more.');
    expect(all).toHaveLength(7);
  });

  test('has the statements that were refused, with the words of the server', () => {
    const message = 'pg_restore: error: could not execute query: ERROR:  no\nCommand was: CREATE TABLE t (';
    expect(judge({ ...EQUAL, refused: [message], refusedCount: 1 }).refused).toEqual([
      { statement: 'CREATE TABLE t (', reason: 'ERROR:  no' },
    ]);
  });
});
