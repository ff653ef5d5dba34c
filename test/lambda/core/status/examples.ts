import type { Status } from '../../../../contract.ts';
import type { Run } from '../../../../lambda/core/freshness/assessment.ts';
import type { DrillWatch, Vanished, Watch } from '../../../../lambda/core/freshness/memory.ts';
import { parseSchedule } from '../../../../lambda/core/schedule/schedule.ts';
import type { Finding, KnownSecret } from '../../../../lambda/core/status/entry.ts';
import { statusOf } from '../../../../lambda/core/status/status.ts';

export const NOW = new Date('2026-11-22T09:30:00Z');

const EXECUTION = 'arn:aws:states:us-west-2:123456789012:execution:AutoDump:prod_orders-20261122T070000Z-0a1b2c';

const SIZES = Array.from({ length: 30 }, (_, day) => 1_200_000_000 + day * 9_000_000 + (day % 7) * 14_000_000);

/** Nothing is wrong with it. */
export const FRESH: Watch = {
  tagsHash: 'hash',
  next: '2026-11-22T15:00:00Z',
  searched: '2026-11-22T09:30:00.123Z',
  newest: { bucket: 'dumps', key: 'prod/orders/orders-20261122T070000Z.dmp' },
  sizes: SIZES,
  manifest: {
    scheduledFor: '2026-11-22T07:00:00Z',
    host: 'orders.example.com',
    database: 'orders',
    rows: 48_211_034,
    rowsAre: 'counted',
    seconds: 34.2,
  },
};

const MISSING = { first: '2026-11-22T07:00:00Z', last: '2026-11-22T07:00:00Z', reported: '2026-11-22T09:30:00Z' };

const OLD: Watch = {
  ...FRESH,
  newest: { bucket: 'dumps', key: 'prod/orders/orders-20261121T070000Z.dmp' },
  manifest: { ...FRESH.manifest, scheduledFor: '2026-11-21T07:00:00Z' },
};

export const OVERDUE: Watch = { ...OLD, arrears: { ...MISSING, count: 1, kind: 'overdue' } };

const TIMEZONE = 'America/Denver';

/** A finding without the schedule, which is in the tags. */
export type Found =
  Exclude<Finding, { kind: 'checked' }> | { readonly kind: 'checked'; readonly run?: Run; readonly isOld?: boolean };

/** A secret that is dumped daily at midnight in Denver. */
export function known(name: string, watch: Watch | undefined, finding: Found, schedule = '0 0 * * *'): KnownSecret {
  return {
    secret: {
      arn: `arn:aws:secretsmanager:us-west-2:123456789012:secret:${name}-a1B2c3`,
      name,
      tags: [
        { Key: 'autodump:start-schedule', Value: schedule },
        { Key: 'autodump:timezone', Value: TIMEZONE },
      ],
      isReplica: false,
    },
    watch,
    finding:
      finding.kind === 'checked' ? { isOld: false, ...finding, schedule: parseSchedule(schedule, TIMEZONE) } : finding,
  };
}

export const CHECKED: Found = { kind: 'checked' };

const EQUAL: DrillWatch = {
  tagsHash: 'hash',
  next: '2026-11-22T16:00:00Z',
  newest: {
    bucket: 'dumps',
    key: 'prod/orders/orders-20261121T070000Z.dmp.drill-20261121T080000Z.json',
  },
  evidence: {
    scheduledFor: '2026-11-21T08:00:00Z',
    verdict: 'equal',
    reason: '212 of 212 tables are equal',
    finishedAt: '2026-11-21T08:51:12Z',
    seconds: 2460,
    tables: { total: 212, equal: 212 },
  },
};

/** A secret that is also drilled weekly, at one on Saturdays. */
export function drilled(secret: KnownSecret, watch: Partial<DrillWatch> = {}, run?: Run): KnownSecret {
  const Value = '0 1 * * 6';
  const finding = {
    kind: 'checked',
    schedule: parseSchedule(Value, TIMEZONE),
    isOld: false,
    ...(run && { run }),
  } as const;
  const tags = [...secret.secret.tags, { Key: 'autodump:drill-schedule', Value }];
  return { ...secret, secret: { ...secret.secret, tags }, drills: { watch: { ...EQUAL, ...watch }, finding } };
}

export const DRILL_MISSING = {
  first: '2026-11-21T08:00:00Z',
  last: '2026-11-21T08:00:00Z',
  count: 1,
  kind: 'overdue',
  reported: '2026-11-22T09:30:00Z',
} as const;

const DIFFERENT = {
  scheduledFor: '2026-11-21T08:00:00Z',
  finishedAt: '2026-11-21T08:51:12Z',
  seconds: 2460,
  verdict: 'different',
  reason: '211 of 212 tables are equal; public.orders has other rows',
  tables: { total: 212, equal: 211 },
} as const;

const EARLIER = { bucket: 'dumps', key: 'prod/accounts/accounts-20261120T070000Z.dmp' };

const VANISHED: Vanished = {
  tables: [
    { table: 'public.accounts', before: 1_204_331, after: 3_120, since: '2026-11-21T07:00:00Z', earlier: EARLIER },
    { table: 'public.logins', before: 52_000, after: 'gone', since: '2026-11-21T07:00:00Z', earlier: EARLIER },
    {
      table: 'public.sessions',
      before: 12_040,
      after: 0,
      since: '2026-11-22T07:00:00Z',
      earlier: { bucket: 'dumps', key: 'prod/accounts/accounts-20261121T070000Z.dmp' },
    },
    { table: 'public.mails', before: 10_000, after: 700, since: '2026-11-21T07:00:00Z', earlier: EARLIER },
  ],
  more: 0,
};

/** Some of every state, the least urgent first. */
export const EXAMPLES: readonly KnownSecret[] = [
  drilled(known('prod/orders', FRESH, CHECKED)),
  known('prod/billing', { ...FRESH, sizes: SIZES.map((bytes) => Math.round(bytes / 3)) }, CHECKED, '0 0 * * 1-5'),
  known('prod/unread', { ...FRESH, manifest: OLD.manifest }, CHECKED),
  known(
    'prod/unproven',
    { ...FRESH, manifest: { scheduledFor: '2026-11-22T07:00:00Z', problem: 'It has no manifest.' } },
    CHECKED,
  ),
  known(
    'prod/events',
    { ...OLD, arrears: { ...MISSING, count: 1, kind: 'late' } },
    {
      kind: 'checked',
      run: { status: 'going', execution: EXECUTION },
    },
  ),
  known('staging/retagged', OLD, { kind: 'checked', isOld: true }),
  known('staging/new', { tagsHash: 'hash', searched: '2026-11-22T09:30:00.123Z', sizes: [] }, CHECKED),
  known(
    'prod/typo',
    { ...OLD, brokenReported: '2026-11-22T09:30:00Z' },
    {
      kind: 'broken',
      reason: 'schedule "every day" has 2 fields: allowed are five fields',
    },
    'every day',
  ),
  drilled({ secret: { ...known('prod/reporting', undefined, CHECKED).secret, tags: [] } }),
  known('prod/accounts', { ...FRESH, vanished: VANISHED }, CHECKED),
  drilled(known('prod/ledger', FRESH, CHECKED), { evidence: DIFFERENT }),
  drilled(
    known('prod/archive', FRESH, CHECKED),
    { arrears: DRILL_MISSING, newest: undefined, evidence: undefined },
    { status: 'none' },
  ),
  known('prod/<script>alert(1)</script>', FRESH, { kind: 'unchecked', reason: 'AccessDenied: Access Denied' }),
  known('prod/inventory', OVERDUE, {
    kind: 'checked',
    run: {
      status: 'failed',
      execution: EXECUTION,
      reason: 'The job ended with exit status 77, refused by the database or by AWS.',
    },
  }),
  known(
    'prod/customers',
    { ...OLD, arrears: { ...MISSING, first: '2026-11-20T07:00:00Z', count: 3, kind: 'overdue' } },
    {
      kind: 'checked',
      run: { status: 'none' },
    },
  ),
];

export const SUBJECT = { stack: 'AutoDump', account: '123456789012', region: 'us-west-2', periodMinutes: 60 } as const;

export const STATUS: Status = statusOf(EXAMPLES, SUBJECT, NOW);

/** A status of many secrets. */
export function statusOfMany(count: number): Status {
  const secrets = Array.from({ length: count }, (_, index): KnownSecret => {
    const { secret, ...example } = EXAMPLES[index % EXAMPLES.length] ?? known('prod/orders', FRESH, CHECKED);
    const name = `production/department-${index % 17}/database-${index}`;
    return { ...example, secret: { ...secret, name, arn: `${secret.arn}-${index}` } };
  });
  return statusOf(secrets, SUBJECT, NOW);
}
