import { GetObjectCommand, ListObjectsV2Command, NoSuchKey } from '@aws-sdk/client-s3';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, type ExecutionStatus } from '@aws-sdk/client-sfn';
import { PublishCommand } from '@aws-sdk/client-sns';
import { beforeEach, expect, jest, test } from '@jest/globals';
import { nameInKey } from '../../../docker/plan/key.ts';
import { handler } from '../../../lambda/freshness.ts';
import { HOUR, useServicesOfFreshness } from '../support/services-of-freshness.ts';

const { secrets, s3, sns, stepFunctions, objects, metrics, storedStatus } = useServicesOfFreshness();

/** What is in the bucket of dumps, and when it was written. */
const bucket = new Map<string, { readonly text: string; readonly size: number; readonly written: Date }>();

const ODD = 'odd / "name"';

beforeEach(() => {
  bucket.clear();
  tag({ 'autodump:start-schedule': '0 0 * * *' });
  s3.on(ListObjectsV2Command).callsFake(
    ({ Bucket, StartAfter = '' }: { readonly Bucket: string; readonly StartAfter?: string }) => ({
      Contents: [...bucket]
        .map(([Key, { size: Size, written: LastModified }]) => ({ Key, Size, LastModified }))
        .filter(({ Key }) => Bucket === 'dumps' && Key > StartAfter)
        .sort((one, other) => (one.Key < other.Key ? -1 : 1)),
    }),
  );
  s3.on(GetObjectCommand).callsFake(({ Key }: { readonly Key: string }) => {
    const body = bucket.get(Key)?.text ?? objects.get(Key);
    if (body === undefined) {
      throw new NoSuchKey({ message: 'none', $metadata: {} });
    }
    return { Body: { transformToString: () => Promise.resolve(body) } };
  });
  endRunsWith('FAILED');
});

function tag(tags: Readonly<Record<string, string>>): void {
  const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:s-a1B2c3';
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  secrets.on(ListSecretsCommand).resolves({ SecretList: [{ ARN, Name: 's', Tags }] });
}

function endRunsWith(status: ExecutionStatus): void {
  stepFunctions.on(DescribeExecutionCommand).resolves({ status, cause: 'Failed: (1) "odd".' });
}

function keyOf(database: string, day: number): string {
  return `s/${nameInKey(database)}-202611${day}T000000Z.dmp`;
}

function put(key: string, value: unknown, size = 1): void {
  bucket.set(key, { text: JSON.stringify(value), size, written: new Date() });
}

/** Puts the dumps of a run; each is of 1,000 bytes, and of a table with some rows. */
function dump(day: number, ofRun: readonly string[] | undefined, rows: Readonly<Record<string, number>>): void {
  const databases = ofRun?.map((database) => ({ database, key: keyOf(database, day) }));
  for (const [database, provenRows] of Object.entries(rows)) {
    const source = { host: 'db.example.com', port: 5432, database };
    const tables = [{ schema: 'public', name: 't', rows: null, provenRows }];
    const run = databases === undefined ? null : { databases, leftOut: [], globals: null };
    put(keyOf(database, day), {}, 1000);
    put(`${keyOf(database, day)}.json`, { manifestVersion: 1, source, seconds: { commit: 2 }, tables, run });
  }
  put(`s/globals-202611${day}T000000Z.sql`, {});
}

/** A check in the third hour of a day, in which the dump of that day has to be there. */
async function checkOn(day: number, hour = 2): Promise<Awaited<ReturnType<typeof handler>>> {
  jest.setSystemTime(Date.parse(`2026-11-${day}T0${hour}:30:00Z`));
  sns.resetHistory();
  return await handler();
}

function messages(): readonly string[] {
  return sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => input.Message ?? '');
}

const entry = () => storedStatus().secrets[0];

test('a run is there as soon as each of its databases is, and reported with those that are missing until then', async () => {
  const all = ['a', 'b', ODD];
  dump(19, all, { a: 10, b: 20, [ODD]: 30 });
  expect(await checkOn(19)).toMatchObject({ fresh: 1, reported: 0 });
  expect(entry()).toMatchObject({
    newest: { bytes: 3000, databases: { dumped: 3, expected: 3, missing: [] } },
    manifest: { host: 'db.example.com', databases: 3, rows: 60, rowsAre: 'counted', seconds: 6 },
    sizes: [3000],
  });
  expect(entry()?.manifest?.database).toBeUndefined();

  dump(20, all, { a: 10, b: 20 });
  expect(await checkOn(20)).toMatchObject({ failing: 1, reported: 1 });
  const words = `2 of 3 databases are dumped; missing: ${ODD}`;
  expect(messages()).toEqual([
    expect.stringContaining(
      `\nOVERDUE: s\nMissing: the dump scheduled for 2026-11-20T00:00:00Z\nPartly there: ${words}\n`,
    ),
  ]);
  expect(entry()).toMatchObject({
    state: 'failing',
    reason: `${words}. Its run failed: Failed: (1) "odd".`,
    missing: { count: 1 },
    newest: {
      scheduledFor: '2026-11-20T00:00:00Z',
      bytes: 2000,
      databases: { dumped: 2, expected: 3, missing: [ODD] },
    },
    manifest: { databases: 2, rows: 30 },
  });
  expect(objects.get('status.html')).toContain('2 of 3 databases');
  expect(await checkOn(20, 3)).toMatchObject({ failing: 1, reported: 0 });

  metrics.mockClear();
  dump(20, all, { [ODD]: 30 });
  expect(await checkOn(20, 4)).toMatchObject({ fresh: 1, reported: 1 });
  expect(messages()).toEqual([expect.stringContaining('\nCAUGHT UP: s\n')]);
  expect(entry()).toMatchObject({ sizes: [3000, 3000], manifest: { databases: 3, rows: 60 } });
  expect(metrics.mock.lastCall?.join()).toContain('"DumpedBytes":1000,"DumpSeconds":2}');
});

test('a run that is going is late, and not looked at before it has to be there', async () => {
  dump(19, ['a', 'b'], { a: 1, b: 1 });
  await checkOn(19);
  endRunsWith('RUNNING');
  dump(20, ['a', 'b'], { b: 1 });
  expect(await checkOn(20, 1)).toMatchObject({ fresh: 1, reported: 0 });
  expect(entry()?.newest).toMatchObject({ scheduledFor: '2026-11-19T00:00:00Z', bytes: 2000 });
  // Even if all dumps are searched for: after a day and a half.
  jest.setSystemTime(Date.parse('2026-11-20T23:00:00Z'));
  dump(21, ['a', 'b'], { b: 1 });
  expect(await checkOn(20)).toMatchObject({ late: 1, reported: 1 });
  expect(entry()).toMatchObject({
    newest: { scheduledFor: '2026-11-20T00:00:00Z' },
    reason: '1 of 2 databases are dumped; missing: a. Its run is still going.',
  });
});

test('a database that was dropped, before the run or while it was going, is not missed', async () => {
  dump(19, ['a', 'b', 'c'], { a: 1, b: 1, c: 1 });
  await checkOn(19);
  dump(20, ['a', 'b'], { a: 1, b: 1 });
  expect(await checkOn(20)).toMatchObject({ fresh: 1, reported: 0 });
  dump(21, ['a', 'b'], { a: 1 });
  endRunsWith('SUCCEEDED');
  expect(await checkOn(21)).toMatchObject({ fresh: 1, reported: 0 });
  expect(entry()?.newest?.databases).toEqual({ dumped: 1, expected: 1, missing: [] });
});

test('what the run of the last attempt lists holds', async () => {
  dump(19, ['a', 'b'], { a: 1, b: 1 });
  await checkOn(19);
  dump(20, ['a', 'b', 'dropped'], { a: 1 });
  jest.setSystemTime(Date.now() + HOUR);
  dump(20, ['a', 'b'], { b: 1 });
  expect(await checkOn(20)).toMatchObject({ fresh: 1, reported: 0 });
  dump(21, ['a', 'b'], { a: 1 });
  jest.setSystemTime(Date.now() + HOUR);
  dump(21, ['a', 'b', 'new'], { b: 1 });
  expect(await checkOn(21)).toMatchObject({ failing: 1, reported: 1 });
  expect(entry()?.newest?.databases).toEqual({ dumped: 2, expected: 3, missing: ['new'] });
});

test('a single first dump says that others are missing once its manifest is read', async () => {
  await checkOn(19);
  dump(20, ['a', 'b'], { b: 1 });
  expect(await checkOn(20)).toMatchObject({ fresh: 1, reported: 0 });
  expect(await checkOn(20, 3)).toMatchObject({ failing: 1, reported: 1 });
  expect(messages()).toEqual([expect.stringContaining('1 of 2 databases are dumped; missing: a\n')]);
});

test('a secret may name a single database, and then several, and then a single one again', async () => {
  dump(18, undefined, { b: 1 });
  dump(19, undefined, { b: 1 });
  await checkOn(19);
  expect(entry()?.newest?.databases).toBeUndefined();
  dump(20, ['a', 'b'], { a: 1 });
  expect(await checkOn(20)).toMatchObject({ failing: 0, reported: 0 });
  expect(await checkOn(20, 3)).toMatchObject({ failing: 1, reported: 1 });
  dump(21, undefined, { a: 1 });
  expect(await checkOn(21)).toMatchObject({ fresh: 1, reported: 1 });
  expect(entry()?.newest?.databases).toBeUndefined();
  expect(entry()?.manifest).toMatchObject({ database: 'a' });
  dump(22, undefined, { a: 1 });
  s3.resetHistory();
  expect(await checkOn(22)).toMatchObject({ fresh: 1, reported: 0 });
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(1);
});

test('a run without any manifest is reported, since it is not known what it lacks', async () => {
  const warning = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  dump(19, ['a', 'b'], { a: 1, b: 1 });
  await checkOn(19);
  dump(20, ['a', 'b'], { b: 1 });
  bucket.delete(`${keyOf('b', 20)}.json`);
  expect(await checkOn(20)).toMatchObject({ failing: 1, reported: 1 });
  expect(messages()[0]).toContain('\nPartly there: 1 database is dumped; how many should be is not known');
  expect(objects.get('status.html')).toContain('1 of ? databases');
  warning.mockRestore();
});

test('a run of several databases costs one listing of each bucket, and each manifest once more than for its rows', async () => {
  for (const day of [19, 20, 21]) {
    dump(day, ['a', 'b', 'c'], { a: 1, b: 1, c: 1 });
    s3.resetHistory();
    expect(await checkOn(day)).toMatchObject({ fresh: 1, reported: 0 });
  }
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(2);
  const read = s3.commandCalls(GetObjectCommand).map(({ args: [{ input }] }) => input.Key ?? '');
  // The first says which databases the run has. The rows of each are compared with those of the day before.
  expect(read.filter((key) => key.startsWith('s/'))).toHaveLength(1 + 2 * 3);
  s3.resetHistory();
  await checkOn(21, 3);
  expect(s3.commandCalls(ListObjectsV2Command)).toHaveLength(0);
});

test('the rows of each database are compared with those of its own dump before', async () => {
  dump(19, ['a', 'b', 'c'], { a: 100, b: 200, c: 300 });
  await checkOn(19);
  dump(20, ['a', 'b', 'c'], { a: 100, c: 300 });
  await checkOn(20);
  dump(21, ['a', 'b', 'c'], { a: 100, b: 20, c: 3 });
  await checkOn(21);
  const [, vanished = ''] = messages();
  expect(vanished.match(/^(public\.t: .*|Last dump that .*)$/gm)).toEqual([
    'public.t: 200, now 20',
    'Last dump that still has them: s3://dumps/s/b-20261119T000000Z.dmp, scheduled for 2026-11-19T00:00:00Z',
    'public.t: 300, now 3',
    'Last dump that still has them: s3://dumps/s/c-20261120T000000Z.dmp, scheduled for 2026-11-20T00:00:00Z',
  ]);
  expect(sns.commandCalls(PublishCommand).at(-1)?.args[0].input.Subject).toBe('AutoDump: rows vanished: s');
});

function drill(database: string, verdict: string, more: object = {}): void {
  put(`${keyOf(database, 20)}.drill-20261121T060000Z.json`, {
    ...{ version: 1, verdict, reason: `of ${database}`, tables: { total: 2, equal: 1 } },
    ...{ seconds: { usable: 1.5, total: 3 }, finishedAt: '2026-11-21T06:10:00Z', ...more },
  });
}

test('the worst verdict of the drills of all databases holds, once all have ended', async () => {
  tag({ 'autodump:start-schedule': '0 0 * * *', 'autodump:drill-schedule': '0 6 * * *' });
  dump(20, ['a', 'b', 'c'], { a: 1, b: 1, c: 1 });
  await checkOn(20);
  dump(21, ['a', 'b', 'c'], { a: 1, b: 1, c: 1 });
  drill('a', 'equal');
  drill('b', 'different', { finishedAt: '2026-11-21T06:20:00Z' });
  endRunsWith('RUNNING');
  expect(await checkOn(21, 9)).toMatchObject({ 'drill failed': 0, reported: 1 });
  expect(messages()).toEqual([expect.stringContaining('\nDRILL LATE: s\n')]);
  drill('c', 'incomplete');
  endRunsWith('FAILED');
  jest.setSystemTime(Date.parse('2026-11-21T10:30:00Z'));
  expect(await handler()).toMatchObject({ 'drill failed': 1, reported: 1 });
  expect(entry()).toMatchObject({
    state: 'drill failed',
    reason: 'The verdict is different: of 1 of 3 databases; b: of b',
    drill: { verdict: 'different', finishedAt: '2026-11-21T06:20:00Z', seconds: 4.5, tables: { total: 6, equal: 3 } },
  });
});

test('the drill of all databases is waited for, also if the secret is not dumped', async () => {
  tag({ 'autodump:drill-schedule': '0 6 * * *' });
  dump(20, ['a', 'b'], { a: 1, b: 1 });
  await checkOn(20);
  drill('a', 'equal');
  endRunsWith('RUNNING');
  expect(await checkOn(21, 9)).toMatchObject({ reported: 1 });
  expect(messages()).toEqual([expect.stringContaining('\nDRILL LATE: s\n')]);
  drill('b', 'different');
  endRunsWith('FAILED');
  jest.setSystemTime(Date.parse('2026-11-21T10:30:00Z'));
  expect(await handler()).toMatchObject({ 'drill failed': 1, reported: 1 });
  expect(entry()).toMatchObject({ drill: { verdict: 'different', tables: { total: 4, equal: 2 } } });
});
