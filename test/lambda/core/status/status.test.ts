import { describe, expect, test } from '@jest/globals';
import type { Run } from '../../../../lambda/core/freshness/assessment.ts';
import type { Vanished } from '../../../../lambda/core/freshness/memory.ts';
import { entryOf, type KnownSecret } from '../../../../lambda/core/status/entry.ts';
import { CHECKED, DRILL_MISSING, drilled, FRESH, known, NOW, OVERDUE, STATUS } from './examples.ts';

const VANISHED: Vanished = {
  tables: [
    {
      table: 'public.t',
      before: 100,
      after: 'gone',
      since: '2026-11-22T07:00:00Z',
      earlier: { bucket: 'dumps', key: 'a/a-20261121T070000Z.dmp' },
    },
  ],
  more: 0,
};

const execution = 'arn:aws:states:us-west-2:123456789012:execution:AutoDump:x';

describe('the state of a secret', () => {
  test.each<[string, string, Run['status'], string]>([
    ['no run', 'overdue', 'none', 'There is no run for it.'],
    ['a run that was stopped', 'overdue', 'stopped', 'Its run was stopped: why'],
    ['a run that made no dump', 'overdue', 'succeeded', 'Its run made no dump: why'],
    ['a run that failed', 'failing', 'failed', 'Its run failed: why'],
    ['a run that timed out', 'failing', 'timed out', 'Its run timed out: why'],
    ['a run that is going', 'late', 'going', 'Its run is still going.'],
  ])('with a missing dump and %s is "%s"', (_, state, status, reason) => {
    const run: Run = status === 'none' ? { status } : { status, execution, reason: 'why' };
    expect(entryOf(known('a', OVERDUE, { kind: 'checked', run }), NOW)).toMatchObject({
      state,
      reason,
      missing: { first: '2026-11-22T07:00:00Z', last: '2026-11-22T07:00:00Z', count: 1 },
      ...(status === 'none' ? {} : { execution }),
    });
  });

  test('without missing dumps is "fresh" if its newest is, and otherwise "old dump" or "no dump"', () => {
    expect(entryOf(known('a', FRESH, CHECKED), NOW).state).toBe('fresh');
    expect(entryOf(known('a', FRESH, { kind: 'checked', isOld: true }), NOW).state).toBe('old dump');
    expect(entryOf(known('a', { tagsHash: 'hash', sizes: [] }, CHECKED), NOW)).toMatchObject({
      state: 'no dump',
      sizes: [],
    });
  });

  const fresh = known('a', FRESH, CHECKED);
  const unscheduled: KnownSecret = { secret: { ...fresh.secret, tags: [] } };
  const failed: Run = { status: 'failed', execution, reason: 'There is no dump of a to restore in dumps.' };
  const different = { scheduledFor: '2026-11-21T08:00:00Z', verdict: 'different', reason: 'public.t' } as const;

  test.each<[string, object, KnownSecret]>([
    ['whose last drill was equal', { state: 'fresh' }, drilled(fresh)],
    [
      'whose drill has left no evidence',
      {
        state: 'drill overdue',
        reason: 'The run of its drill failed: There is no dump of a to restore in dumps.',
        execution,
        drills: { missing: { count: 1 } },
      },
      drilled(fresh, { arrears: DRILL_MISSING }, failed),
    ],
    [
      'whose drill is going',
      { state: 'fresh', drills: { missing: { count: 1 } } },
      drilled(fresh, { arrears: { ...DRILL_MISSING, kind: 'late' } }, { status: 'going', execution }),
    ],
    [
      'whose last drill was not equal',
      { state: 'drill failed', reason: 'The verdict is different: public.t' },
      drilled(fresh, { evidence: different }),
    ],
    [
      'whose evidence cannot be read',
      { state: 'fresh', drills: { problem: 'It has no evidence.' }, drill: undefined },
      drilled(fresh, { evidence: { scheduledFor: '2026-11-21T08:00:00Z', problem: 'It has no evidence.' } }),
    ],
    [
      'whose dump is missing, too',
      { state: 'overdue', reason: 'There is no run for it.' },
      drilled(known('a', OVERDUE, { kind: 'checked' }), { arrears: DRILL_MISSING }, failed),
    ],
    [
      'whose rows vanished, and whose drill failed',
      { state: 'rows vanished', vanished: { tables: [{ table: 'public.t' }], more: 0 } },
      drilled(known('a', { ...FRESH, vanished: VANISHED }, CHECKED), { evidence: different }),
    ],
    [
      'whose rows vanished, and whose dump is missing',
      { state: 'overdue', vanished: { more: 0 } },
      known('a', { ...OVERDUE, vanished: VANISHED }, CHECKED),
    ],
    [
      'whose dump is late, and whose drill failed',
      { state: 'drill failed', missing: { count: 1 } },
      drilled(known('a', OVERDUE, { kind: 'checked', run: { status: 'going', execution } }), { evidence: different }),
    ],
    ['that is only drilled', { state: 'drills only', drills: { timezone: 'UTC' }, sizes: [] }, drilled(unscheduled)],
    [
      'that is only drilled, and whose drill failed',
      { state: 'drill failed' },
      drilled(unscheduled, { evidence: different }),
    ],
    [
      'that is only drilled, and could not be checked',
      { state: 'unchecked', reason: 'refused' },
      { ...unscheduled, drills: { finding: { kind: 'unchecked', reason: 'refused' } } },
    ],
    [
      'whose drill tag cannot be followed',
      { state: 'broken tag', reason: 'Of its drills: every day?', drills: { next: undefined } },
      { ...fresh, drills: { finding: { kind: 'broken', reason: 'every day?' } } },
    ],
  ])('%s is "%j"', (_, entry, secret) => {
    expect(entryOf(secret, NOW)).toMatchObject(entry);
  });

  test('that is only drilled has no schedule of dumps', () => {
    const entry = entryOf(drilled(unscheduled), NOW);
    expect([entry.schedule, entry.next]).toEqual([undefined, undefined]);
  });

  test('that could not be checked, or whose tags cannot be followed, is not what it was before', () => {
    const refused = entryOf(known('a', FRESH, { kind: 'unchecked', reason: 'Error:\n refused' }), NOW);
    expect(refused).toMatchObject({ state: 'unchecked', reason: 'Error: | refused', searched: '2026-11-22T09:30:00Z' });
    const broken = entryOf(known('a', FRESH, { kind: 'broken', reason: 'every day?' }, 'every day'), NOW);
    expect(broken).toMatchObject({ state: 'broken tag', reason: 'every day?', schedule: { expression: 'every day' } });
    expect(broken.next).toBeUndefined();
    expect(entryOf(known('a', undefined, { kind: 'unchecked', reason: 'refused' }), NOW)).toMatchObject({
      state: 'unchecked',
      sizes: [],
    });
  });
});

test('the entry of a secret has its schedule in words, its next run, its newest dump and what the manifest says', () => {
  expect(entryOf(known('prod/orders', FRESH, CHECKED), NOW)).toMatchObject({
    secret: 'prod/orders',
    schedule: { expression: '0 0 * * *', timezone: 'America/Denver', words: '00:00 daily' },
    next: '2026-11-23T07:00:00Z',
    newest: { bucket: 'dumps', scheduledFor: '2026-11-22T07:00:00Z', bytes: FRESH.sizes?.at(-1) },
    manifest: { rows: 48_211_034, rowsAre: 'counted', seconds: 34.2 },
  });
});

test('the entry of a secret has its last drill, and when the next is', () => {
  expect(entryOf(drilled(known('a', FRESH, CHECKED)), NOW)).toMatchObject({
    drills: { expression: '0 1 * * 6', words: '01:00 on Saturday', next: '2026-11-28T08:00:00Z' },
    drill: { verdict: 'equal', finishedAt: '2026-11-21T08:51:12Z', seconds: 2460, tables: { total: 212, equal: 212 } },
  });
});

test('the status counts the secrets, and lists the most urgent first', () => {
  expect(STATUS.secrets.map(({ state }) => state)).toEqual([
    'overdue',
    'failing',
    'rows vanished',
    'unchecked',
    'broken tag',
    'drill overdue',
    'drill failed',
    'old dump',
    'no dump',
    'drills only',
    'late',
    'fresh',
    'fresh',
    'fresh',
    'fresh',
  ]);
  expect(STATUS.secrets.slice(-4).map(({ secret }) => secret)).toEqual([
    'prod/billing',
    'prod/orders',
    'prod/unproven',
    'prod/unread',
  ]);
  expect(STATUS.totals).toMatchObject({ secrets: 15, states: { overdue: 1, failing: 1, fresh: 4, late: 1 } });
});
