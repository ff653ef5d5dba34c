import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { drill, evidenceIn, put } from '../support/drills.ts';
import { BUCKET, keyOf, Stage } from '../support/stage.ts';

let stage: Stage;

const BEFORE = '2026-11-21T08:00:00Z';

beforeAll(async () => {
  stage = await Stage.setUp();
  for (const name of ['one', 'two', 'three']) {
    await stage.createDatabase(name, 'CREATE TABLE t AS SELECT 1 AS i');
  }
  const secret = { dbname: ['one', 'two', 'three'] };
  await stage.dump('', { secret, environment: { AUTODUMP_WHEN: BEFORE } });
  await stage.query('postgres', 'DROP DATABASE two');
  // A database that was not dumped lately, and one that is asked for no longer.
  expect(await stage.dump('', { secret: { dbname: ['one', 'two'] } })).toMatchObject({ status: 77 });
});

afterAll(async () => {
  await stage.tearDown();
});

const evidenceOf = (key: string) => `${key}.drill-20261122T080000Z.json`;

test('the newest dump of each database of the last run is drilled', async () => {
  const { status, stdout, stderr } = await drill(stage);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('Done: 2 of 2 dumps are equal.\n');
  expect(await evidenceIn(stage, { status, stdout, stderr })).toMatchObject({ dump: { key: keyOf('one') } });
  expect(await stage.hasObject(evidenceOf(keyOf('two', BEFORE)))).toBe(true);
  expect(stdout).not.toContain(keyOf('three', BEFORE));
});

test('one that is not equal does not stop the others, and decides', async () => {
  await put(stage, BUCKET, keyOf('one'), 'damaged');
  const environment = { AUTODUMP_WHEN: '2026-11-23T08:00:00Z' };
  const { status, stdout, stderr } = await drill(stage, { environment });
  expect(status).toBe(69);
  expect(stderr).toMatch(
    /^AutoDump failed: verification failed \(exit status 69\): 1 of 2 dumps are equal\. Failed: \(1\) s3:\/\/\S+\/one-\S+: .* has the verdict failed: /,
  );
  expect(stdout).toMatch(/^Done: s3:\/\/\S+\/two-\S+ was restored/m);
});
