import { describe, expect, test } from '@jest/globals';
import {
  type About,
  assess,
  assessBroken,
  gapsOf,
  type News,
  type Run,
} from '../../../../lambda/core/freshness/assessment.ts';
import { runOf } from '../../../../lambda/core/freshness/dump-key.ts';
import type { Found } from '../../../../lambda/core/freshness/found.ts';
import { type Incomplete, readMemory, type RunsWatch, writeMemory } from '../../../../lambda/core/freshness/memory.ts';
import { eventOf, messageOf } from '../../../../lambda/core/freshness/message.ts';
import { type ListedSecret, owingOf } from '../../../../lambda/core/freshness/owing.ts';

const MINUTE = 60_000;
const terms = { overdueAfterMs: 120 * MINUTE, scanIntervalMs: 60 * MINUTE };
const secret: ListedSecret = {
  arn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/orders-a1B2c3',
  name: 'prod/orders',
  tags: [
    { Key: 'autodump:start-schedule', Value: '0 1 * * *' },
    { Key: 'autodump:timezone', Value: 'America/Denver' },
  ],
  isReplica: false,
};
const about: About = { secret: 'prod/orders', timezone: 'America/Denver', purpose: 'dump' };

function dump(time: string) {
  return { bucket: 'dumps', key: `prod/orders/orders-${time}.dmp` };
}

function check(watch: RunsWatch | undefined, now: string, found: Found, run: Run = { status: 'none' }) {
  const owing = owingOf(secret, 'dump', watch, new Date(now), terms);
  if (owing.kind !== 'runs') {
    throw new Error('It is on a schedule.');
  }
  const before = { ...(watch ?? { tagsHash: owing.tags.hash, next: owing.next }), newest: found.newest };
  return { owing, ...assess(about, before, owing, gapsOf(before, owing, found), run, new Date(now)) };
}

/** A dump of a scheduled time, or of a run that has dumped only some of its databases. */
function found(time: string, incomplete?: Incomplete): Found {
  return {
    sizes: new Map([[time, 1000]]),
    newest: dump(time.replace(/[-:]/g, '')),
    others: [],
    incomplete: new Map(incomplete && [[time, incomplete]]),
  };
}

const nothing: Found = { sizes: new Map(), newest: undefined, others: [], incomplete: new Map() };
const yesterday = found('2026-11-21T08:00:00Z');
const today = found('2026-11-22T08:00:00Z');
const PART: Incomplete = { dumped: 38, expected: 40, missing: ['crm', 'odd\n"name"'] };
const part = found('2026-11-22T08:00:00Z', PART);

describe('a secret on a schedule', () => {
  const first = check(undefined, '2026-11-21T12:00:00Z', nothing);

  test.each([
    ['6:00', '2026-11-21T06:00:00Z', '2026-11-21T08:00:00Z'],
    ['less than a scan before its time', '2026-11-21T07:30:00Z', '2026-11-22T08:00:00Z'],
  ])('whose tags are first seen at %s owes the first dump after that', (_, now, next) => {
    expect(owingOf(secret, 'dump', undefined, new Date(now), terms)).toMatchObject({ due: [], next });
  });

  test('owes a dump only two hours after its scheduled time', () => {
    expect(check(first.watch, '2026-11-22T09:59:00Z', nothing).owing.due).toEqual([]);
    expect(check(first.watch, '2026-11-22T10:00:00Z', today)).toMatchObject({
      owing: { due: ['2026-11-22T08:00:00Z'] },
      news: [],
      watch: { next: '2026-11-23T08:00:00Z', newest: today.newest },
    });
  });

  test('is reported once, again after a day, and when it is caught up', () => {
    const overdue = check(first.watch, '2026-11-22T10:14:00Z', yesterday);
    expect(overdue.news).toMatchObject([{ kind: 'overdue', again: false }]);
    const soon = check(overdue.watch, '2026-11-22T11:14:00Z', yesterday);
    expect(soon.news).toEqual([]);
    const caughtUp = check(soon.watch, '2026-11-22T12:14:00Z', today);
    expect(caughtUp.news).toMatchObject([{ kind: 'caught up' }]);
    expect(caughtUp.watch.arrears).toBeUndefined();
    // A weekly schedule owes nothing new the next day.
    const weekly = { ...soon.watch, next: '2026-11-29T08:00:00Z' };
    expect(check(weekly, '2026-11-23T10:14:00Z', yesterday).news).toMatchObject([{ kind: 'overdue', again: true }]);
  });

  test('is late while its run is going, and overdue when that has ended', () => {
    const late = check(first.watch, '2026-11-22T10:14:00Z', yesterday, { status: 'going', execution: 'arn' });
    expect(late.news).toMatchObject([{ kind: 'late' }]);
    expect(check(late.watch, '2026-11-22T11:14:00Z', yesterday).news).toMatchObject([{ kind: 'overdue' }]);
  });

  test('has lost a dump if a later one is there', () => {
    const manual = found('2026-11-22T09:00:00Z');
    const { news, watch } = check(first.watch, '2026-11-22T10:14:00Z', manual);
    expect(news).toMatchObject([{ kind: 'lost' }]);
    expect(watch.arrears).toBeUndefined();
  });

  test('lacks the dump of a run that lacks databases, until all are there', () => {
    const overdue = check(first.watch, '2026-11-22T10:14:00Z', part);
    expect(overdue.news).toMatchObject([{ kind: 'overdue', incomplete: PART, missing: { count: 1 } }]);
    const soon = check(overdue.watch, '2026-11-22T11:14:00Z', part);
    expect(soon.news).toEqual([]);
    expect(soon.watch.arrears).toEqual(overdue.watch.arrears);
    expect(check(soon.watch, '2026-11-22T12:14:00Z', today).news).toMatchObject([{ kind: 'caught up' }]);
    const run: Run = { status: 'going', execution: 'arn' };
    expect(check(first.watch, '2026-11-22T10:14:00Z', part, run).news).toMatchObject([{ kind: 'late' }]);
  });

  test('is not caught up by a later run that lacks databases too, and has lost such a one if a later one lacks none', () => {
    const overdue = check(first.watch, '2026-11-22T10:14:00Z', part);
    const manual = found('2026-11-22T12:00:00Z', { ...PART, dumped: 39, missing: ['crm'] });
    const both = {
      ...manual,
      sizes: new Map([...part.sizes, ...manual.sizes]),
      incomplete: new Map([...part.incomplete, ...manual.incomplete]),
    };
    expect(check(overdue.watch, '2026-11-22T14:14:00Z', both)).toMatchObject({
      news: [],
      watch: { arrears: { count: 1 } },
    });
    const repaired = { ...both, incomplete: part.incomplete };
    expect(check(overdue.watch, '2026-11-22T14:14:00Z', repaired).news).toMatchObject([{ kind: 'caught up' }]);
    expect(check(first.watch, '2026-11-22T14:14:00Z', repaired).news).toMatchObject([
      { kind: 'lost', incomplete: PART },
    ]);
  });

  test('misses no longer what a late run has dumped meanwhile', () => {
    const late = check(first.watch, '2026-11-22T10:14:00Z', yesterday, { status: 'going', execution: 'arn' });
    const two = check(late.watch, '2026-11-23T10:14:00Z', yesterday);
    expect(two.news).toMatchObject([{ kind: 'overdue', missing: { first: '2026-11-22T08:00:00Z', count: 2 } }]);
    const three = check(two.watch, '2026-11-24T10:14:00Z', today);
    const missing = { first: '2026-11-23T08:00:00Z', last: '2026-11-24T08:00:00Z', count: 2 };
    expect(three.news).toMatchObject([{ kind: 'overdue', missing }]);
  });

  test('is in a message with its times, run, newest dump and what to do', () => {
    const { news } = check(first.watch, '2026-11-22T10:14:00Z', yesterday);
    const place = { region: 'us-west-2', account: '123456789012', buckets: ['dumps'], scanner: 'Scanner' };
    expect(messageOf(news, place, new Date('2026-11-22T10:14:00Z'))).toEqual({
      subject: 'AutoDump: 1 overdue',
      text: `Dumps and drills of account 123456789012 in us-west-2: 1 overdue.

OVERDUE: prod/orders
Missing: the dump scheduled for 2026-11-22T08:00:00Z (Sun 22 Nov 2026, 01:00 in America/Denver)
Since: 2 h 14 min ago
Newest dump: s3://dumps/prod/orders/orders-20261121T080000Z.dmp, scheduled for 2026-11-21T08:00:00Z
Its run: there is none in Step Functions
What to do: docs/operations.md#dump-overdue
To dump it now: aws lambda invoke --region us-west-2 --function-name Scanner --cli-binary-format raw-in-base64-out --payload '{"dumpNow":"prod/orders"}' /dev/stdout
`,
    });
  });

  test('is in a message of its own when it is caught up', () => {
    const overdue = check(first.watch, '2026-11-22T10:14:00Z', yesterday);
    const { news } = check(overdue.watch, '2026-11-22T12:14:00Z', today);
    const place = { region: 'us-west-2', account: '123456789012', buckets: ['dumps'], scanner: 'Scanner' };
    expect(messageOf(news, place, new Date('2026-11-22T12:14:00Z'))).toEqual({
      subject: 'AutoDump: 1 caught up',
      text: `Dumps and drills of account 123456789012 in us-west-2: 1 caught up.

CAUGHT UP: prod/orders
Was missing: the dump scheduled for 2026-11-22T08:00:00Z (Sun 22 Nov 2026, 01:00 in America/Denver)
Newest dump: s3://dumps/prod/orders/orders-20261122T080000Z.dmp, scheduled for 2026-11-22T08:00:00Z
What to do: nothing
`,
    });
  });
});

test.each<[Incomplete, number, string]>([
  [PART, 1, '38 of 40 databases are dumped; missing: crm, odd | "name"\n'],
  [
    { dumped: 5, expected: 40, missing: Array.from({ length: 35 }, (_, index) => `d${index}`) },
    2,
    'the last one, of which 5 of 40 databases are dumped; missing: d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, ' +
      'd12, d13, d14, d15, d16, d17, d18, d19 and 15 more\n',
  ],
  [
    { dumped: 1, missing: [] },
    1,
    '1 database is dumped; how many should be is not known, since no manifest of that run can be read\n',
  ],
])('a message says which databases a run lacks: %j', (incomplete, count, words) => {
  const missing = { first: '2026-11-22T08:00:00Z', last: '2026-11-22T08:00:00Z', count };
  const news: News = {
    ...about,
    kind: 'overdue',
    missing,
    incomplete,
    newest: part.newest,
    run: { status: 'none' },
    again: false,
  };
  const place = { region: 'us-west-2', account: '123456789012', buckets: ['dumps'], scanner: 'Scanner' };
  expect(messageOf([news], place, new Date('2026-11-22T10:14:00Z')).text).toContain(`\nPartly there: ${words}Since: `);
});

test('tags that cannot be followed, which the scan has reported, are reported daily from the second day on', () => {
  const owing = {
    kind: 'broken',
    reason: 'schedule "x"',
    tags: { hash: 'f00d', hashOfAll: 'f00d', purpose: 'dump', schedule: 'x', timezone: 'UTC' },
  } as const;
  const remind = (watch: RunsWatch | undefined, now: string) => assessBroken(about, watch, owing, new Date(now));
  const first = remind(undefined, '2026-11-22T08:00:00Z');
  const soon = remind(first.watch, '2026-11-23T07:59:00Z');
  const second = remind(soon.watch, '2026-11-23T08:00:00Z');
  const third = remind(second.watch, '2026-11-23T09:00:00Z');
  expect([first, soon, second, third].map(({ news }) => news.length)).toEqual([0, 0, 1, 0]);
});

test('a drill is in a message of its own kind, and so is the event about it', () => {
  const missing = { first: '2026-11-22T08:00:00Z', last: '2026-11-22T08:00:00Z', count: 1 };
  const newest = { bucket: 'dumps', key: 'prod/orders/orders-20261114T080000Z.dmp.drill-20261115T080000Z.json' };
  const run: Run = {
    status: 'failed',
    execution: 'arn:aws:states:us-west-2:123456789012:execution:AutoDump:prod_orders',
    reason: 'There is no dump of prod/orders to restore in dumps.',
  };
  const drill = { ...about, purpose: 'drill' } as const;
  const news: readonly News[] = [
    { ...drill, kind: 'caught up', missing, newest },
    { ...drill, kind: 'overdue', missing, newest, run, again: true },
    { ...drill, kind: 'broken tags', reason: 'schedule "x"' },
    { ...about, kind: 'overdue', missing, newest: undefined, run, again: false },
  ];
  const place = { region: 'us-west-2', account: '123456789012', buckets: ['dumps'], scanner: 'Scanner' };
  const { subject, text } = messageOf(news, place, new Date('2026-11-22T10:14:00Z'));
  expect(subject).toBe(
    'AutoDump: 1 overdue, 1 drill overdue, 1 drill with tags that cannot be followed, 1 drill caught up',
  );
  expect(text).toContain(`
DRILL STILL OVERDUE: prod/orders
Missing: the drill scheduled for 2026-11-22T08:00:00Z (Sun 22 Nov 2026, 01:00 in America/Denver)
Since: 2 h 14 min ago
Newest evidence of a drill: s3://dumps/${newest.key}, scheduled for 2026-11-15T08:00:00Z
Its run: failed: There is no dump of prod/orders to restore in dumps.
What to do: docs/operations.md#drill-overdue
Execution: https://us-west-2.console.aws.amazon.com/states/home?region=us-west-2#/v2/executions/details/arn:aws:states:us-west-2:123456789012:execution:AutoDump:prod_orders

`);
  expect(text).toContain(
    'DRILL WITH TAGS THAT CANNOT BE FOLLOWED: prod/orders\nReason: schedule "x". It is not drilled.',
  );
  expect(text).toContain('DRILL CAUGHT UP: prod/orders\n');
  expect(news.map((one) => eventOf(one).kind)).toEqual([
    'drill caught up',
    'drill overdue',
    'drill broken tags',
    'overdue',
  ]);
  expect(news.map((one) => eventOf(one))).not.toContainEqual(expect.objectContaining({ purpose: expect.anything() }));
});

test.each([
  ['prod/orders/orders-20261122T080000Z.dmp', { purpose: 'dump', when: '2026-11-22T08:00:00Z' }],
  ['prod/orders/orders-20261122T080000Z.dmp.json', undefined],
  [
    'prod/orders/orders-20261122T080000Z.dmp.drill-20261129T090000Z.json',
    { purpose: 'drill', when: '2026-11-29T09:00:00Z' },
  ],
  ['prod/orders/x.dmp.drill-20261129T090000Z.dmp', { purpose: 'dump', when: '2026-11-29T09:00:00Z' }],
])('the key %s tells the run that left it', (key, run) => {
  expect(runOf(key)).toEqual(run);
});

test('what an earlier version remembered is read, and knows of no drill', () => {
  const secrets = { [secret.arn]: { tagsHash: 'hash', next: '2026-11-22T08:00:00Z' } };
  const memory = readMemory(JSON.stringify({ version: 1, secrets }));
  expect(memory).toMatchObject({ watches: new Map(Object.entries(secrets)), drills: new Map() });
  const drills = new Map([[secret.arn, { tagsHash: 'drills' }]]);
  expect(readMemory(writeMemory({ ...memory, drills })).drills).toEqual(drills);
});

test('what an earlier version remembered of compared rows is read as that of a single database', () => {
  const compared = { bucket: 'dumps', key: 'prod/orders/orders-20261122T080000Z.dmp' };
  const memory = readMemory(JSON.stringify({ version: 1, secrets: { [secret.arn]: { tagsHash: 'hash', compared } } }));
  expect(memory.watches.get(secret.arn)).toEqual({ tagsHash: 'hash', compared: [compared] });
  expect(readMemory(writeMemory(memory))).toEqual(memory);
});
