import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import PQueue from 'p-queue';
import pg from 'pg';
import type { Manifest } from '../../docker/dump/manifest.ts';
import { packageOf } from '../../local/postgres/data-directory.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres/server.ts';
import { contentsOf } from '../docker/support/contents.ts';
import type { Builder } from './builder.ts';
import { CONTENTS, LARGE_CONTENTS } from './contents.ts';
import { findBuilder } from './find-builder.ts';
import { type Overrides, Stack } from './stack.ts';

/** A job's line about the progress of a phase, or about its end. */
const PHASE = /^(Dumping|Proving|Uploading|Fetching|Restoring|Done): /;

/** Major of the server with additional, large contents. */
const LARGE = 17;

const MAJORS = [13, 14, 15, 16, 17, 18];

/** Servers that are dumped and restored at a time: much of it takes only one processor. */
const AT_A_TIME = 2;

const started = performance.now();

let folder: string;
let builder: Builder;
let stack: Stack;
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
  const [clients] = await Promise.all([builder.build(stack.imageFolder), prepare(LARGE)]);
  progress(`The image is built, with the client programs ${clients}`);
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
  const { status, output } = await run('AutoDump-drill', { target: 'drill', environment });
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

/** Drills a dump where nothing but S3 can be reached. */
function drill(key: string, major: number): Promise<{ status: number; output: string }> {
  const command = ['drill', `s3://${stack.bucket}/${key}`];
  return run('AutoDump-drill', { target: 'drill', command, isolated: true }, `PostgreSQL ${major}, drill`);
}

/** Creates the secret of a database. @param name its last part */
function secretOf(server: PostgresServer, major: number, dbname: string, name = dbname, parallel = 1): string {
  const { host, port, user, password } = server;
  return stack.createSecret(`${major}/${name.replaceAll(' ', '-')}`, {
    ...{ engine: 'postgres', host, port, username: user, password, dbname, parallel },
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

/**
 * Dumps a database, restores the dump into a new one with the image, compares the two, and drills the dump.
 *
 * @param parallel connections that read rows
 */
async function roundTrip(server: PostgresServer, major: number, database: string, parallel: number): Promise<void> {
  const name = parallel === 1 ? database : `${database}-by-${parallel}`;
  const copy = `${name} restored`;
  const target = secretOf(server, major, copy);
  const dumped = await dump(secretOf(server, major, database, name, parallel), major);
  const way = parallel === 1 ? 'a file.' : `files that ${parallel} connections write at the same time.`;
  expect(dumped).toMatchObject({ status: 0, output: expect.stringContaining(`The dump goes through ${way}`) });
  const key = `${major}/${name}/${database}-20261122T080000Z.dmp`;
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
  const drilled = await drill(key, major);
  const equal = expect.stringMatching(new RegExp(` is equal: ${tables} of ${tables} tables are equal `));
  expect(drilled).toMatchObject({ status: 0, output: equal });
  progress(`PostgreSQL ${major}: the drill says the same`);
}

/** Starts a server of a major version, with one database full of contents and an empty one. */
async function prepare(major: number): Promise<PostgresServer> {
  const server = await startPostgres({ directory: join(folder, `postgres-${major}`), from: packageOf(major) });
  servers.set(major, server);
  await createDatabase(server, 'empty');
  await createDatabase(server, 'app', [...CONTENTS, ...(major === LARGE ? LARGE_CONTENTS : [])]);
  progress(`PostgreSQL ${major}: the databases are made`);
  return server;
}

async function serverOf(major: number): Promise<PostgresServer> {
  return servers.get(major) ?? prepare(major);
}

/** Statements whose dump has code that connects to a port of this machine, when a table or a view is filled. */
const reachingOut = (port: number): readonly string[] => [
  'CREATE TABLE answers (line text)',
  `CREATE FUNCTION reach_out() RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
  'CREATE TABLE orders (id int CHECK (public.reach_out()))',
  'INSERT INTO orders VALUES (1), (2)',
  'CREATE MATERIALIZED VIEW answered AS SELECT public.reach_out()',
  `CREATE OR REPLACE FUNCTION reach_out() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    COPY public.answers FROM PROGRAM 'bash -c "exec 3<>/dev/tcp/127.0.0.1/${port}"';
    RETURN true; END $$`,
];

test('the code of a dump that is drilled reaches nothing, and the drill says what could not be restored', async () => {
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const server = await serverOf(LARGE);
    await createDatabase(server, 'reaching', reachingOut((listener.address() as AddressInfo).port));
    await execute(server, 'reaching', ['SELECT reach_out()']);
    expect(connections).toBe(1);

    expect(await dump(secretOf(server, LARGE, 'reaching'), LARGE)).toMatchObject({ status: 0 });
    const { status, output } = await drill(`${LARGE}/reaching/reaching-20261122T080000Z.dmp`, LARGE);
    expect(connections).toBe(1);
    expect(output).toContain(' has the verdict different: 1 of 2 tables are equal (');
    expect(output).toContain('these differ: public.orders: 2 rows in the dump, 0 in the database;');
    expect(output).toContain('not restored: materialized view public.answered (it is not populated);');
    expect(status).toBe(69);
  } finally {
    listener.close();
  }
});

describe('a database is dumped, by one connection and by two, and completely restored', () => {
  const results = new Map<number, Promise<void>>();
  const queue = new PQueue({ concurrency: AT_A_TIME });

  beforeAll(() => {
    // The one that takes longest begins first.
    for (const major of [LARGE, ...MAJORS.filter((each) => each !== LARGE)]) {
      const result = queue.add(async () => {
        const server = await serverOf(major);
        await roundTrip(server, major, 'empty', 1);
        await roundTrip(server, major, 'app', 1);
        await roundTrip(server, major, 'app', 2);
        await server.stop();
      });
      // It is reported by the test that waits for it.
      result.catch(() => undefined);
      results.set(major, result);
    }
  });

  // If only some were waited for.
  afterAll(async () => {
    queue.clear();
    await queue.onIdle();
  });

  test.each(MAJORS)('PostgreSQL %d', async (major) => {
    await results.get(major);
  });
});
