import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../../lambda/core/notify/digest.ts';
import type { Notice } from '../../../../lambda/core/notify/notice.ts';

const PLACE = { region: 'us-west-2', account: '123456789012', dumpLog: '/dumps' };

/** SNS takes this much. */
const MAX_MESSAGE = 262_144;

function failure(n: number, more: Partial<Notice> = {}): Notice {
  return {
    kind: 'dump failed',
    secret: `prod/db${n}`,
    scheduled: '2026-11-22T08:00:00Z',
    reasons: ['The job ended with exit status 77, refused by the database or by AWS.'],
    log: 'Wrong password.',
    article: 'exit-status-77',
    execution: `arn:aws:states:us-west-2:123456789012:execution:Runs:db${n}`,
    ...more,
  };
}

test('a digest counts its reports, and has each in full, good news last', () => {
  const good: Notice = { kind: 'recovered', secret: 'prod/good', reasons: ['The last failure was …'] };
  const { subject, text } = digestOf([good, failure(1), failure(2)], PLACE);
  expect(subject).toBe('AutoDump: dump failed (2), recovered (1)');
  const link = (n: number): string =>
    'Execution: https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/' +
    `arn:aws:states:us-west-2:123456789012:execution:Runs:db${n}`;
  const block = (n: number): readonly string[] => [
    `DUMP FAILED: prod/db${n}`,
    'Scheduled: 2026-11-22T08:00:00Z',
    'Why: The job ended with exit status 77, refused by the database or by AWS.',
    'Log: Wrong password.',
    'What to do: docs/operations.md#exit-status-77',
    link(n),
    '',
  ];
  expect(text.split('\n')).toEqual([
    '3 reports about account 123456789012 in us-west-2: dump failed (2), recovered (1).',
    '',
    ...block(1),
    ...block(2),
    'RECOVERED: prod/good',
    'Before: The last failure was …',
    'What to do: nothing',
    '',
  ]);
});

describe('a digest that is too long', () => {
  /** The longest that Secrets Manager allows. */
  const secret = 's'.repeat(512);

  test('cuts the longest reports, says so, and names each', () => {
    const many = Array.from({ length: 1500 }, (_, n) => `${n} ${'ü'.repeat(200)}`);
    const scan: Notice = { kind: 'scan failed', reasons: many, article: 'alarm-scan-failed' };
    const failures = Array.from({ length: 99 }, (_, n) => failure(n));
    const { text } = digestOf([scan, ...failures], PLACE);
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_MESSAGE);
    expect(text).toMatch(/^SCAN FAILED\n(Why: .*\n)+… the rest is in the log of Notify\.\n\nDUMP FAILED: prod\/db0$/m);
    for (const [n] of failures.entries()) {
      const block = new RegExp(`^DUMP FAILED: prod/db${n}\n(.+\n){4}Execution: .*$`, 'm');
      expect(text).toMatch(block);
    }
  });

  test('names as many as a batch has, however long all are', () => {
    const notices = Array.from({ length: 100 }, () => failure(1, { secret, log: '"ü" '.repeat(3000) }));
    const { text } = digestOf(notices, PLACE);
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_MESSAGE);
    expect(text.match(/^DUMP FAILED: s{512}$/gm)).toHaveLength(100);
    expect(text).toContain('\n… the rest is in the log of Notify.\n');
  });
});
