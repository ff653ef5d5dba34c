import { describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../../../local/services/step-functions/wait.ts';

describe('waitUntil', () => {
  const now = new Date('2026-01-01T00:00:00Z');

  test.each([
    [{ Seconds: 90 }, '2026-01-01T00:01:30Z'],
    [{ SecondsPath: '$.a.b' }, '2026-01-01T00:00:07Z'],
    [{ Timestamp: '2026-05-05T05:05:05Z' }, '2026-05-05T05:05:05Z'],
    [{ TimestampPath: '$.when' }, '2027-01-01T00:00:00Z'],
  ])('%j', (state, expected) => {
    const input = { a: { b: 7 }, when: '2027-01-01T02:00:00+02:00' };
    expect(waitUntil({ Type: 'Wait', End: true, ...state }, input, now)).toEqual(new Date(expected));
  });

  test('rejects an unsupported path', () => {
    expect(() => waitUntil({ Type: 'Wait', End: true, TimestampPath: '$..when' }, {}, now)).toThrow('$..when');
  });
});
