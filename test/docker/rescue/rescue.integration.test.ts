import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COUNTED_CONTENTS } from '../support/census-contents.ts';
import { Stage } from '../support/stage.ts';
import { restore } from '../support/start-restore.ts';

let stage: Stage;

const RESCUED = 'rescued_20261122t080000z';

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', ...COUNTED_CONTENTS);
  expect(await stage.dump('app')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(async () => {
  await stage.tearDown();
});

test('rows of a table come back beside it', async () => {
  const outcome = await restore(stage, 'app', 'app', ['--table', 'public.ids']);
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  const joined = await stage.query('app', `SELECT count(*)::int FROM ${RESCUED}.ids JOIN ids USING (id, twice, b)`);
  expect(joined).toEqual([{ count: 1000 }]);
});
