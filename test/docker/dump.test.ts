import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { keyOf, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.set();
});

afterAll(async () => {
  await stage.strike();
});

test('a database becomes a dump', async () => {
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT i, md5(i::text) AS m FROM generate_series(1, 400000) i');
  const outcome = await stage.dump('app');
  console.log(outcome);
  expect(outcome.status).toBe(0);
  console.log(await stage.manifestOf(keyOf('app')));
});
