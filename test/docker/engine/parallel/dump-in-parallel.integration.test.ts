import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { contentsOf, DIFFICULT_CONTENTS } from '../../support/contents.ts';
import { makeParallel } from '../../support/make-parallel.ts';
import { Stage } from '../../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  process.env.AWS_ENDPOINT_URL_S3 = stage.s3.endpoint;
  process.env.AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'example';
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
  await stage.createDatabase(
    'app',
    ...DIFFICULT_CONTENTS,
    'CREATE TABLE large AS SELECT i, sha512(i::text::bytea) AS noise FROM generate_series(1, 150000) i',
    'CREATE TABLE parent AS SELECT i FROM generate_series(1, 5000) i',
    'ALTER TABLE parent ADD PRIMARY KEY (i)',
    'CREATE TABLE child AS SELECT i, i AS parent FROM generate_series(1, 5000) i',
    'ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES parent',
    `CREATE TABLE "two
lines" AS SELECT 1 AS one`,
  );
});

afterAll(async () => {
  jest.restoreAllMocks();
  expect(await stage.openUploads()).toBe(0);
  await stage.tearDown();
});

test.each([
  ['one connection', []],
  ['several', ['--jobs=3']],
])('a dump of several connections is restored by %s, and equal', async (name, options) => {
  const key = `restored/${name}`;
  await makeParallel(stage, 'app', key);
  await stage.restore(key, `restored by ${name}`, ...options);
  expect(await contentsOf(stage, `restored by ${name}`)).toEqual(await contentsOf(stage, 'app'));
});
