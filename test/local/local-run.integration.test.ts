import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { dumpOnce } from '../../local/dump-once.ts';
import { Processes } from '../../local/host/processes.ts';
import type { Cleanups } from '../../local/host/program.ts';
import { findClientPrograms } from '../../local/postgres/client-programs.ts';
import { Reporter } from '../../local/report.ts';
import { Steps } from '../../local/steps.ts';
import { pgRestore } from '../support/pg-restore.ts';
import { startPgBouncer, wherePgBouncerIsInstalled } from '../support/pgbouncer.ts';
import { synthesizedApp } from '../support/synthesized-app.ts';
import { fingerprint, query } from './support/database.ts';
import {
  PASSWORD,
  processesIn,
  serverOfRuns,
  spawnRun,
  start,
  temporaryFolder,
  url,
  useServerOfRuns,
} from './support/local-runs.ts';

useServerOfRuns();

async function restore(file: string, database: string): Promise<void> {
  const programs = await findClientPrograms(process.env.PATH ?? '');
  const program = join(programs[0]?.folder ?? '', 'pg_restore');
  const { host, port, user, password } = serverOfRuns();
  const connection = ['--host', host, '--port', `${port}`, '--username', user, '--dbname', database];
  await pgRestore(program, ['--no-owner', ...connection, file], { PGPASSWORD: password });
}

describe('the local run', () => {
  let directory: string;
  let sampleFile: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  });

  afterAll(() => rm(directory, { recursive: true }));

  test('makes a proven dump of the sample database, which can be restored', async () => {
    const { status, json, stderr } = await spawnRun(['--json', '--state-dir', directory]).ended;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(json).toMatchObject({
      status: 'succeeded',
      execution: expect.stringMatching(/^arn:aws:states:/),
      secretArn: expect.stringMatching(/^arn:aws:secretsmanager:/),
      scheduledFor: expect.stringMatching(/T00:00:00Z$/),
      next: expect.stringMatching(/T00:00:00Z$/),
      dump: { verified: true, file: expect.stringContaining(directory) },
      drill: {
        verdict: 'equal',
        evidence: expect.stringContaining(directory),
        tables: { total: 4, equal: 4 },
        rows: 85_500,
        seconds: expect.any(Number),
      },
      permissions: { calls: expect.any(Number), denied: 0 },
    });
    const { calls, unused } = json.permissions as { calls: number; unused: { reason: string | null }[] };
    expect(calls).toBeGreaterThan(30);
    expect(unused.filter(({ reason }) => reason === null)).toEqual([]);
    const { file = '', manifest = '', sha256 } = json.dump as Record<string, string>;
    sampleFile = file;
    const [page = '', ...otherPages] = json.pages as string[];
    expect([basename(page), otherPages]).toEqual(['status.html', []]);
    expect(await readFile(page, 'utf8')).toMatch(/The only secret has its dump[^]*4 of 4 tables equal/);
    expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({ proof: { sha256, verified: true } });
    await query(serverOfRuns(), 'postgres', 'create database sample');
    await restore(file, 'sample');
    expect(await query(serverOfRuns(), 'sample', 'select count(*)::int as rows from item')).toEqual([{ rows: 60_000 }]);
    expect(await processesIn(directory)).toEqual([]);
    expect((await readdir(directory)).sort()).toEqual(['autodump-local-run', 'cdk.out', 'log', 's3']);
    for (const part of ['log', 's3']) {
      for (const name of await readdir(join(directory, part), { recursive: true })) {
        const { mode } = await stat(join(directory, part, name));
        expect([name, mode & 0o077]).toEqual([name, 0]);
      }
    }
  });

  test("then dumps a user's database without revealing the password, while a second run is refused", async () => {
    const args = ['--database', url('My shop'), '--state-dir', directory];
    const { child, ended } = await start(args, { PGPASSWORD: PASSWORD });
    await once(child.stdout ?? child, 'data');
    expect(await spawnRun(['--json', '--state-dir', directory]).ended).toMatchObject({
      status: 1,
      json: { status: 'failed', step: 'state directory', reason: expect.stringContaining(`process ${child.pid}`) },
    });
    const { status, stdout, stderr } = await ended;
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: '' });
    await readFile(sampleFile);
    const [, file = ''] = /^ {2}Dump +(.*)$/m.exec(stdout) ?? [];
    await restore(file, 'restored');
    expect(await fingerprint(serverOfRuns(), 'restored')).toEqual(await fingerprint(serverOfRuns(), 'My shop'));
    expect(child.spawnargs.join()).not.toContain(PASSWORD);
    for (const name of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!name.isFile() || name.parentPath.includes('cdk.out')) {
        continue;
      }
      expect(await readFile(join(name.parentPath, name.name), 'utf8')).not.toContain(PASSWORD);
    }
    expect(stdout).not.toContain(PASSWORD);
  });

  test('and leaves no page of an earlier run when it fails', async () => {
    expect(await readdir(directory, { recursive: true })).toContainEqual(expect.stringMatching(/status\.html$/));
    const args = ['--state-dir', directory, '--database', 'postgres://reader@127.0.0.1:1/x'];
    const { ended } = await start(args, { PGPASSWORD: PASSWORD });
    expect(await ended).toMatchObject({ status: 1, stdout: expect.stringContaining('127.0.0.1 port 1'), stderr: '' });
    expect(await readdir(directory, { recursive: true })).not.toContainEqual(expect.stringMatching(/status\.html$/));
  });

  test('nor anything besides dumps and logs: each run replaces what the last one needed', async () => {
    expect((await readdir(directory)).sort()).toEqual(['autodump-local-run', 'cdk.out', 'log', 's3']);
    const synthesized = await readdir(await synthesizedApp());
    expect((await readdir(join(directory, 'cdk.out'))).sort()).toEqual(synthesized.sort());
  });
});

wherePgBouncerIsInstalled('a pooler of transactions', () => {
  test("is refused, and the application's own session behind it stays untouched", async () => {
    const pooler = await startPgBouncer(serverOfRuns(), 'transaction', { reader: PASSWORD });
    const application = new pg.Client({ ...pooler, user: 'reader', password: PASSWORD, database: 'My shop' });
    await application.connect();
    const state = async () => [
      (await application.query('select pg_backend_pid(), name, setting from pg_settings order by name')).rows,
      (await application.query('select count(*) from "Größe"')).rows,
    ];
    const before = await state();
    const through = `postgres://reader@${pooler.host}:${pooler.port}/My%20shop`;
    const args = ['--json', '--state-dir', await temporaryFolder(), '--database', through];
    const { status, json } = await (await start(args, { PGPASSWORD: PASSWORD })).ended;
    expect({ status, json }).toMatchObject({
      status: 1,
      json: { status: 'failed', step: 'dump', reason: expect.stringContaining('is a connection pooler') },
    });
    expect(await state()).toEqual(before);
    await application.end();
    await pooler.stop();
  });
});

describe('invalid input is reported in one message, without a stack trace', () => {
  test.each<[string, readonly string[], NodeJS.ProcessEnv, number, string, string]>([
    ['an unknown option', ['--databse', 'x'], {}, 2, 'options', "Unknown option '--databse'"],
    ['an invalid URL', ['--database', 'shop'], {}, 2, 'options', 'is not the URL of a PostgreSQL database'],
  ])('%s', async (_, args, environment, status, step, reason) => {
    const ended = await spawnRun(['--json', '--state-dir', await temporaryFolder(), ...args], environment).ended;
    expect(ended).toMatchObject({ status, json: { status: 'failed', step, reason: expect.stringContaining(reason) } });
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });

  test('a schedule that starts nothing, before anything is started', async () => {
    const directory = await temporaryFolder();
    const { status, json } = await spawnRun(['--json', '--state-dir', directory, '--schedule', '0 8 31 2 *']).ended;
    expect({ status, json }).toEqual({
      status: 2,
      json: { status: 'failed', step: 'options', reason: expect.stringContaining('never') },
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test('a server that does not exist', async () => {
    const directory = await temporaryFolder();
    const args = ['--json', '--state-dir', directory, '--database', 'postgres://reader@127.0.0.1:1/x'];
    const { status, json, stderr } = await (await start(args, { PGPASSWORD: PASSWORD })).ended;
    expect({ status, json }).toEqual({
      status: 1,
      json: { status: 'failed', step: 'dump', reason: expect.stringContaining('127.0.0.1 port 1') },
    });
    // The message that a subscriber would get.
    expect(stderr).toContain('| DUMP FAILED: local-');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(await processesIn(directory)).toEqual([]);
  });

  describe('after preparing', () => {
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    });

    afterAll(() => rm(folder, { recursive: true }));

    test.each([
      ['a wrong password', 'My shop', 'wrong', 'password'],
      ['an unknown database', 'absent', PASSWORD, 'absent'],
    ])('%s', async (_, name, password, reason) => {
      const reporter = new Reporter(new PassThrough().resume());
      const options = { schedule: '@daily', json: true, stateDir: folder };
      const cleanups: Cleanups = [];
      const steps = new Steps(reporter, new AbortController().signal);
      const { host, port } = serverOfRuns();
      const database = { host, port, user: 'reader', password, database: name };
      const programs = await findClientPrograms(process.env.PATH ?? '');
      const run = { options, stateDir: folder, reporter, steps, processes: new Processes(), cleanups };
      const done = dumpOnce(run, { programs, database, cdkOut: await synthesizedApp(), serverFolders: [] });
      try {
        await expect(done).rejects.toMatchObject({ step: 'dump', message: expect.stringContaining(reason) });
      } finally {
        for (const cleanup of cleanups) {
          await cleanup();
        }
      }
    });
  });
});
