import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { foundOf } from '../../../lambda/core/freshness/found.ts';
import { type DumpSearch, findDumps } from '../../../lambda/freshness/dumps.ts';

const s3 = mockClient(S3Client);

const keyOf = (day: number): string => `prod/orders/orders-202611${day}T080000Z.dmp`;
const timeOf = (day: number): string => `2026-11-${day}T08:00:00Z`;

function dumps(...days: readonly number[]): DumpSearch['wanted'] {
  return { dump: days.map(timeOf), drill: [] };
}

/** Days of November whose dumps are in a bucket. */
const DAYS = { old: [18, 19], new: [20, 21] };

beforeEach(() => {
  s3.reset();
  for (const [Bucket, days] of Object.entries(DAYS)) {
    s3.on(ListObjectsV2Command, { Bucket }).callsFake(({ StartAfter = '' }: { readonly StartAfter?: string }) => ({
      Contents: days.map((day) => ({ Key: keyOf(day), Size: day })).filter(({ Key }) => Key > StartAfter),
    }));
  }
});

async function find(search: Omit<DumpSearch, 'secretName'>) {
  const { dump } = await findDumps(new S3Client(), ['old', 'new'], { secretName: 'prod/orders', ...search });
  const found = foundOf(dump);
  const buckets = s3.commandCalls(ListObjectsV2Command).map(({ args: [{ input }] }) => input.Bucket);
  return { newest: found.newest, days: [...found.sizes.values()], buckets };
}

const NEWEST = { bucket: 'new', key: keyOf(21) };

test.each<[string, Omit<DumpSearch, 'secretName'>]>([
  ['no dump is wanted, and none is known', { wanted: dumps(), known: undefined }],
  [
    'no dump is wanted, and one in the first bucket is known',
    { wanted: dumps(), known: { bucket: 'old', key: keyOf(19) } },
  ],
  ['the wanted one is in the first bucket, and none is known', { wanted: dumps(19), known: undefined }],
])('the newest dump is found in whichever bucket it is, if %s', async (_, search) => {
  expect(await find(search)).toEqual({ newest: NEWEST, days: [18, 19, 20, 21], buckets: ['old', 'new'] });
});

test('one listing suffices if it shows all that is wanted', async () => {
  const search = { wanted: dumps(21), known: { bucket: 'new', key: keyOf(20) } };
  expect(await find(search)).toEqual({ newest: NEWEST, days: [20, 21], buckets: ['new'] });
});

test('all buckets are listed if the one of the known dump lacks one that is wanted', async () => {
  const search = { wanted: dumps(20), known: { bucket: 'old', key: keyOf(19) } };
  expect(await find(search)).toEqual({ newest: NEWEST, days: [18, 19, 20, 21], buckets: ['old', 'old', 'new'] });
});

test.each<[string, number, readonly string[]]>([
  ['one listing shows the evidence beside the dump of the day before', 20, ['new']],
  ['all is listed for evidence beside an older dump', 18, ['new', 'old', 'new']],
])('%s', async (_, day, buckets) => {
  const evidence = `${keyOf(day)}.drill-20261121T080000Z.json`;
  const bucket = day < 20 ? 'old' : 'new';
  s3.on(ListObjectsV2Command, { Bucket: bucket }).callsFake(
    ({ StartAfter = '' }: { readonly StartAfter?: string }) => ({
      Contents: [keyOf(day), evidence].filter((key) => key > StartAfter).map((Key) => ({ Key, Size: 7 })),
    }),
  );
  const wanted = { dump: [], drill: [timeOf(21)] };
  const search = { secretName: 'prod/orders', wanted, known: NEWEST };
  const { drill } = await findDumps(new S3Client(), ['old', 'new'], search);
  expect(foundOf(drill)).toMatchObject({ sizes: new Map([[timeOf(21), 7]]), newest: { bucket, key: evidence } });
  expect(s3.commandCalls(ListObjectsV2Command).map(({ args: [{ input }] }) => input.Bucket)).toEqual(buckets);
});
