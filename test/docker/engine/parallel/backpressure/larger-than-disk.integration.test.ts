import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { until } from '../../../../support/until.ts';
import { runEngineHere } from '../../../support/engine-here.ts';
import { makeParallel } from '../../../support/make-parallel.ts';
import { asRootOnLinux, withSmallDisk } from '../../../support/small-disk.ts';
import { Stage } from '../../../support/stage.ts';

const MIB = 2 ** 20;
const DISK_MIB = 72;

let stage: Stage;
let log: jest.SpiedFunction<typeof process.stdout.write>;

beforeAll(async () => {
  stage = await Stage.setUp();
  runEngineHere(stage);
  log = jest.spyOn(process.stdout, 'write');
  await stage.createDatabase(
    'app',
    ...Object.entries({ one: 1_200_000, other: 700_000 }).map(
      ([name, rows]) =>
        `CREATE TABLE ${name} AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, ${rows}) i`,
    ),
    'ANALYZE',
  );
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await stage.tearDown();
});

asRootOnLinux(
  'a dump that is larger than the disk is made by several connections, which wait for each other',
  async () => {
    await withSmallDisk(async (folder) => {
      const estimate = 2 * DISK_MIB * MIB;
      const { mode, checksums } = await makeParallel(stage, 'app', 'large', { folder, estimate, jobs: 2 });
      expect(mode).toEqual({ mode: 'parallel', jobs: 2 });
      expect(checksums.bytes).toBeGreaterThan(DISK_MIB * MIB);
      expect(log.mock.calls.join()).toContain('of the disk is free: connections wait until more has been uploaded.');
    }, DISK_MIB);
    await stage.restore('large', 'restored', '--jobs=2');
    const sums =
      'SELECT count(*), sum(hashtext(one::text)) FROM one UNION ALL SELECT count(*), sum(hashtext(other::text)) FROM other ORDER BY 1';
    expect(await stage.query('restored', sums)).toEqual(await stage.query('app', sums));
  },
);

asRootOnLinux('connections that fail while others wait are reported', async () => {
  log.mockClear();
  await withSmallDisk(async (folder) => {
    const dumped = makeParallel(stage, 'app', 'failed', { folder, estimate: 2 * DISK_MIB * MIB, jobs: 2 });
    await until(() => log.mock.calls.join().includes('connections wait'));
    await stage.query('app', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY public.%'");
    await expect(dumped).rejects.toMatchObject({ reason: 'tryAgain' });
  }, DISK_MIB);
  expect(await stage.hasObject('failed')).toBe(false);
});

asRootOnLinux('where the disk has no room for several connections, the dump is streamed', async () => {
  await withSmallDisk(async (folder) => {
    const { mode } = await makeParallel(stage, 'postgres', 'streamed', { folder, estimate: 64 * MIB, jobs: 2 });
    expect(mode).toMatchObject({ mode: 'stream', reason: expect.stringContaining('the disk has only') });
  }, 60);
});
