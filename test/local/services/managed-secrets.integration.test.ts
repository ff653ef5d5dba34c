import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ManagedDatabase } from '../../../local/services/rds/rds.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { appOnPostgres } from '../support/app-on-postgres.ts';
import { AppWorld, SCHEDULE_TAG } from '../support/app-world.ts';
import { query } from '../support/database.ts';

const shared = appOnPostgres(synthesizedApp);

let app: AppWorld;
beforeAll(async () => {
  const { cdkOut, folder, server } = shared();
  app = await AppWorld.start(cdkOut, folder, server);
});
afterAll(async () => {
  await app.world.stop();
});

/** Has RDS manage the secret of the test server. */
function manage(database: Partial<ManagedDatabase>): string {
  return app.world.rds.manage({
    kind: 'instance',
    identifier: 'orders',
    engine: 'postgres',
    databaseName: 'postgres',
    ...shared().server,
    ...database,
  });
}

/** Tags a secret with a schedule and more, runs its job, and returns how that ended. */
async function runOf(secret: string, tags: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
  await app.tagSecret(secret, { [SCHEDULE_TAG]: '@daily', ...tags });
  const { end } = await app.runNow(secret);
  await app.world.settled();
  return end?.status;
}

async function dumpsOf(secret: string): Promise<readonly string[]> {
  const name = secret.replace(/^.*:secret:|-[0-9a-f]+$/g, '');
  return (await app.dumps()).filter((file) => file.startsWith(`${name}/`));
}

describe('a secret that RDS manages is dumped', () => {
  test.each([
    ['an instance', manage, {}],
    ['a cluster', () => manage({ kind: 'cluster', engine: 'aurora-postgresql' }), {}],
    [
      "a cluster's reader",
      () => manage({ kind: 'cluster', host: 'writer.invalid', readerHost: shared().server.host }),
      { 'autodump:prefer': 'reader' },
    ],
    [
      'an instance without a database of its own',
      () => manage({ databaseName: undefined }),
      {
        'autodump:databasename': 'template1',
      },
    ],
  ])('with its schedule as the only tag that is needed: %s', async (_, create, tags) => {
    const secret = create({});
    expect(await runOf(secret, tags)).toBe('SUCCEEDED');
    expect(await dumpsOf(secret)).toEqual([
      expect.stringMatching(/^rds!\w+-[-0-9a-f]+\/(postgres|template1)-\d{8}T\d{6}Z\.dmp$/),
    ]);
  });

  test('with all databases of its server, and its roles, if a tag asks for them', async () => {
    const secret = manage({ databaseName: undefined });
    await query(shared().server, 'postgres', 'create database other');
    expect(await runOf(secret, { 'autodump:databasename': '-' })).toBe('SUCCEEDED');
    const dumps = await dumpsOf(secret);
    expect(dumps.map((file) => file.replace(/^.*\/|-\d{8}T\d{6}Z\.dmp$/g, '')).sort()).toEqual(['other', 'postgres']);
    const roles = dumps[0]?.replace(/\w+(-\d{8}T\d{6}Z)\.dmp$/, 'globals$1.sql') ?? '';
    expect(await readFile(join(app.world.objects, app.bucket, roles), 'utf8')).toContain('-- Roles and memberships of');
  });

  test('without asking RDS, if its tags say everything', async () => {
    const secret = manage({ host: 'nowhere.invalid' });
    const { host, port } = shared().server;
    const asked = app.world.iam.calls.length;
    const tags = {
      'autodump:endpoint': `${host}:${port}`,
      'autodump:engine': 'postgres',
      'autodump:databasename': 'postgres',
    };
    expect(await runOf(secret, tags)).toBe('SUCCEEDED');
    const actions = app.world.iam.calls.slice(asked).map(({ action }) => action);
    expect(actions.filter((action) => action.startsWith('rds:'))).toEqual([]);
  });
});
