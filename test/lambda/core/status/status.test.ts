import { describe, expect, test } from '@jest/globals';
import type { Run } from '../../../../lambda/core/freshness/assessment.ts';
import { entryOf } from '../../../../lambda/core/status/entry.ts';
import { CHECKED, FRESH, known, NOW, OVERDUE, STATUS } from './examples.ts';

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

test('the status counts the secrets, and lists the most urgent first', () => {
  expect(STATUS.secrets.map(({ state }) => state)).toEqual([
    'overdue',
    'failing',
    'unchecked',
    'broken tag',
    'old dump',
    'no dump',
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
  expect(STATUS.totals).toMatchObject({ secrets: 11, states: { overdue: 1, failing: 1, fresh: 4, late: 1 } });
});
