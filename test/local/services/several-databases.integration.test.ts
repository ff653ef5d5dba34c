import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld } from '../support/app-world.ts';

const shared = appOnPostgres(synthesizedApp);

let app: AppWorld;
beforeAll(async () => {
  const { cdkOut, folder, server } = shared();
  app = await AppWorld.start(cdkOut, folder, server);
});
afterAll(async () => {
  await app.world.stop();
});

test('the message about a run names each database that was not dumped', async () => {
  const value = { databasename: ['none', 'postgres', 'nothing'] };
  const arn = await app.createSecret('prod/list', { value });
  const [message, ...others] = await app.published(() => app.runNow(arn));
  expect(others).toEqual([]);
  expect(message).toMatch(
    new RegExp(
      '^DUMP FAILED: prod/list\n[^]*\nDump: s3://[^/]+/prod/list/\n[^]*\nLog: AutoDump failed: refused ' +
        '\\(exit status 77\\): 1 of 3 databases are dumped\\. Failed: \\(1\\) "none": .*"none" does not exist.* ' +
        '\\(2\\) "nothing": .*"nothing" does not exist',
    ),
  );
});
