import { describe, expect, test } from '@jest/globals';
import type { Watch } from '../../../../lambda/core/freshness/memory.ts';
import { combinedManifests, type ManifestFacts, readManifest } from '../../../../lambda/core/status/manifest.ts';
import { manifestsToRead } from '../../../../lambda/core/status/reading-plan.ts';
import { FRESH, NOW } from './examples.ts';

describe('a manifest', () => {
  const seconds = { dump: 1, proof: 2, commit: 3.5 };
  const source = { host: 'orders.example.com', port: 5432, database: 'orders' };
  const DATABASE = { host: 'orders.example.com', database: 'orders' };

  test.each([
    [
      'counted in the dump',
      [
        { rows: 90, provenRows: 100 },
        { rows: null, provenRows: 1 },
      ],
      { rows: 101, rowsAre: 'counted' },
    ],
    [
      'counted in the dump, which has none of some tables',
      [
        { rows: 90, provenRows: 100 },
        { rows: 5, provenRows: null },
      ],
      { rows: 100, rowsAre: 'counted' },
    ],
    ['estimated by the server', [{ rows: 90 }, { rows: 10, provenRows: null }], { rows: 100, rowsAre: 'estimated' }],
    ['of no tables', [], { rows: 0, rowsAre: 'counted' }],
    ['not known of every table', [{ rows: 90 }, { rows: null }], {}],
    ['not known', null, {}],
  ])('says which database it is of, the seconds and the rows, %s', (_, tables, rows) => {
    const text = JSON.stringify({ manifestVersion: 1, source, seconds, tables });
    expect(readManifest(text)).toEqual({ ...DATABASE, seconds: 3.5, ...rows });
  });

  test('that was recovered says only the database', () => {
    const text = JSON.stringify({ manifestVersion: 1, source, seconds: null, tables: null });
    expect(readManifest(text)).toEqual(DATABASE);
  });

  const COUNTED = { rows: 40, rowsAre: 'counted', seconds: 1 } as const;

  test.each<[string, readonly ManifestFacts[], ManifestFacts]>([
    [
      'counted in each',
      [{ ...DATABASE, ...COUNTED }, COUNTED],
      { host: DATABASE.host, rows: 80, rowsAre: 'counted', seconds: 2 },
    ],
    ['estimated in one', [COUNTED, { rows: 2, rowsAre: 'estimated' }], { rows: 42, rowsAre: 'estimated', seconds: 1 }],
    ['not known of one', [COUNTED, {}], { seconds: 1 }],
    [
      'not read of one',
      [COUNTED, { database: 'crm', problem: 'It has no manifest.' }],
      { seconds: 1, problem: 'crm: It has no manifest.' },
    ],
  ])('of several databases says the sums, with rows %s', (_, facts, together) => {
    expect(combinedManifests(facts)).toEqual({ databases: 2, ...together });
  });

  test.each(['', '{"manifestVersion":1', '{"manifestVersion":2,"seconds":null,"tables":null}', 'null'])(
    'that is not one is a problem: %s',
    (text) => {
      expect(readManifest(text)).toEqual({ problem: 'Its manifest is not one of version 1.' });
    },
  );
});

describe('the manifests that a check reads', () => {
  const unread: Watch = { ...FRESH, manifest: { scheduledFor: '2026-11-20T07:00:00Z' } };

  function plan(secrets: Readonly<Record<string, Watch>>, count?: number, day = '2026-11-22') {
    const manifestReads = count === undefined ? undefined : { day, count };
    const { unread: found, reads } = manifestsToRead({ watches: new Map(Object.entries(secrets)), manifestReads }, NOW);
    return { secrets: found.map(({ arn }) => arn), reads };
  }

  test('are those that are new, and those that could not be read before today but may be now, the longest unread first', () => {
    const failed = { ...FRESH, manifest: { scheduledFor: '2026-11-22T07:00:00Z', problem: 'refused' } };
    const secrets = {
      read: FRESH,
      failed: { ...failed, manifestRead: '2026-11-21' },
      failedToday: { ...failed, manifestRead: '2026-11-22' },
      failedForGood: failed,
      unread,
      first: { ...FRESH, manifest: undefined },
      none: { tagsHash: 'hash' },
    };
    expect(plan(secrets)).toEqual({ secrets: ['first', 'unread', 'failed'], reads: { day: '2026-11-22', count: 3 } });
  });

  test('are those of all databases of a run, also of those that it has dumped since', () => {
    const others = [{ bucket: 'dumps', key: 'prod/orders/crm-20261122T070000Z.dmp' }];
    const manifest = { ...FRESH.manifest, scheduledFor: '2026-11-22T07:00:00Z', databases: 2 };
    const compared = [...others, ...others, ...others];
    const secrets = { read: { ...FRESH, others, manifest }, grown: { ...FRESH, others, compared } };
    expect(plan(secrets)).toEqual({ secrets: ['grown'], reads: { day: '2026-11-22', count: 4 } });
    expect(plan({ ...secrets, unread }, 2398)).toEqual({
      secrets: ['unread'],
      reads: { day: '2026-11-22', count: 2399 },
    });
  });

  test('are at most 2,400 a day, among them those of the dumps before, whose rows are compared', () => {
    const secrets = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`secret${index}`, unread]));
    expect(plan(secrets, 2300).secrets).toHaveLength(100);
    const compared = Object.fromEntries(
      Object.entries(secrets).map(([arn, watch]) => [arn, { ...watch, compared: [{ bucket: 'dumps', key: 'a' }] }]),
    );
    expect(plan(compared, 2300).secrets).toHaveLength(50);
    expect(plan(secrets, 2400)).toEqual({ secrets: [], reads: { day: '2026-11-22', count: 2400 } });
    expect(plan(secrets, 2400, '2026-11-21')).toMatchObject({ reads: { day: '2026-11-22', count: 2400 } });
  });
});
