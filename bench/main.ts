/** Measures the dump engine beside what it replaces and what the server can send. See README.md beside it. */
import { cpSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { compressionOf, findClients } from '../docker/postgres/clients.ts';
import { withBundle } from '../lib/bundle.ts';
import { type PostgresServer, startPostgres } from '../local/postgres/server.ts';
import { startAws } from './aws.ts';
import { fill } from './database.ts';
import { cpuSecondsOfAll, measure, type Measure } from './measure.ts';
import { InvalidOptions, type Options, parseOptions, USAGE } from './options.ts';
import { type Row, table } from './report.ts';
import type { Usage } from './services.ts';

const DATABASE = 'bench';

/** The ways that are measured, in their order within a round. */
const WAYS = ['predecessor', 'raw', 'file', 'stream'] as const;

type Way = (typeof WAYS)[number];

const say = (line: string) => process.stdout.write(`${line}\n`);

const EXIT = { failed: 1, misuse: 64, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal asked the benchmark to end. */
class Interrupted extends Error {
  readonly status: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Ended by ${signal}. Nothing was left behind.`);
    this.status = EXIT[signal];
  }
}

interface Stage {
  readonly folder: string;
  /** Environment of all programs. */
  readonly environment: NodeJS.ProcessEnv;
  readonly usage: () => Promise<Usage>;
  readonly serverCpu: () => Promise<number>;
}

/** A pg_dump that finds the disk full as soon as it is to write a file, so that the dump is streamed. */
async function streamingClients(folder: string, path: string): Promise<string> {
  const clients = join(folder, 'streaming');
  await mkdir(clients);
  const script = (program: string) => `#!/bin/sh
case "$*" in *--file=${folder}*) echo 'pg_dump: error: could not write to output file: No space left on device' >&2; exit 1;; esac
PATH='${path}' exec ${program} "$@"\n`;
  for (const program of ['pg_dump', 'pg_restore']) {
    await writeFile(join(clients, program), script(program), { mode: 0o755 });
  }
  return `${clients}:${path}`;
}

/** Runs one way once. @returns one measure for each program that ran, and the bytes of the dump */
async function runOnce(way: Way, { folder, environment, usage }: Stage): Promise<{ all: Measure[]; bytes: number }> {
  const file = join(folder, 'dump');
  const dump = (...args: string[]) => measure('pg_dump', ['-Fc', ...args, '-f', file, DATABASE], environment);
  const engine = (path: string) =>
    measure(process.execPath, [join(folder, 'autodump.js'), 'dump'], { ...environment, PATH: path });
  await usage();
  switch (way) {
    case 'predecessor': {
      const dumped = await dump('-O', '-Z', '9');
      const copied = await measure(process.execPath, [join(import.meta.dirname, 'copy.ts'), file], environment);
      return { all: [dumped, copied], bytes: (await stat(file)).size };
    }
    case 'raw':
      // As the engine: nobody needs the file after a crash.
      return { all: [await dump('-Z', '0', '--no-sync')], bytes: (await stat(file)).size };
    case 'file':
      return { all: [await engine(environment.PATH ?? '')], bytes: (await usage()).bytes };
    case 'stream':
      return { all: [await engine(environment.STREAMING_PATH ?? '')], bytes: (await usage()).bytes };
  }
}

async function run(stage: Stage, { rounds }: Options): Promise<void> {
  const rows: Row[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const way of WAYS) {
      const before = { server: await stage.serverCpu(), s3: (await stage.usage()).cpuSeconds };
      const { all, bytes } = await runOnce(way, stage);
      const sum = (value: (measure: Measure) => number) => all.reduce((total, one) => total + value(one), 0);
      const row = {
        way,
        seconds: sum(({ seconds }) => seconds),
        cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
        memory: Math.max(...all.map(({ memory }) => memory)),
        memoryOfAll: Math.max(...all.map(({ memoryOfAll }) => memoryOfAll)),
        bytes,
        serverCpu: (await stage.serverCpu()) - before.server,
        s3Cpu: (await stage.usage()).cpuSeconds - before.s3,
      };
      rows.push(row);
      say(`round ${round}, ${way}: ${row.seconds.toFixed(1)} s`);
      await rm(join(stage.folder, 'dump'), { force: true });
    }
  }
  say(`\n${table(rows, WAYS)}`);
}

async function generate({ host, port, user, password }: PostgresServer, { size }: Options): Promise<void> {
  say('Generating the database ...');
  const client = async (database: string, work: (client: pg.Client) => Promise<void>) => {
    const connection = new pg.Client({ host, port, user, password, database });
    await connection.connect();
    await work(connection).finally(() => connection.end());
  };
  await client('postgres', async (connection) => {
    await connection.query(`CREATE DATABASE ${DATABASE}`);
  });
  await client(DATABASE, async (connection) => {
    await fill(connection, size);
    const { rows } = await connection.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
    say(`The database has ${(Number(rows[0]?.size) / 1e6).toFixed(0)} MB on disk.`);
  });
}

/** What the programs that are measured see. */
async function environmentOf(
  { host, port, user, password }: PostgresServer,
  folder: string,
  endpoint: string,
  { clientPath }: Options,
): Promise<NodeJS.ProcessEnv> {
  const path = [clientPath, process.env.PATH].filter((part) => part !== undefined).join(':');
  return {
    PATH: path,
    STREAMING_PATH: await streamingClients(folder, path),
    ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
    ...{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'example', AWS_REGION: 'us-west-2' },
    ...{ AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
    AUTODUMP_SECRET_ARN: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:bench-AbCdEf',
    AUTODUMP_EXECUTION: 'bench',
    AUTODUMP_WHEN: '2026-11-22T08:00:00Z',
    AUTODUMP_BUCKETS: 'dumps',
    AUTODUMP_RESTORE_JOB: 'bench',
    TMPDIR: folder,
  };
}

/** Rejects when a signal asks the benchmark to end. */
function untilSignal(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        reject(new Interrupted(signal));
      });
    }
  });
}

async function main(options: Options): Promise<void> {
  say(await clientOf(process.env.PATH ?? '', options));
  const folder = await mkdtemp(join(tmpdir(), 'autodump-bench-'));
  const cleanups: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true })];
  const work = async () => {
    // The server's own user has to get at its folder.
    await chmod(folder, 0o755);
    const postgres = await startPostgres({ directory: join(folder, 'postgres') });
    cleanups.push(() => postgres.stop());
    const { host, port, user, password } = postgres;
    const aws = await startAws({ engine: 'postgres', host, port, username: user, password, dbname: DATABASE });
    cleanups.push(() => {
      aws.stop();
    });
    await generate(postgres, options);
    withBundle('docker/main.ts', 'autodump.js', (bundle) => {
      cpSync(bundle, folder, { recursive: true });
    });
    const environment = await environmentOf(postgres, folder, aws.endpoint, options);
    const pidFile = join(folder, 'postgres', 'data', 'postmaster.pid');
    const serverCpu = async () => cpuSecondsOfAll(Number.parseInt(await readFile(pidFile, 'utf8'), 10));
    await run({ folder, environment, usage: () => aws.usage(), serverCpu }, options);
  };
  try {
    await Promise.race([work(), untilSignal()]);
  } finally {
    for (const cleanup of cleanups.toReversed()) {
      await cleanup();
    }
  }
}

/** The client programs that are measured, which the engine finds by itself. @throws {Error} if there are none */
async function clientOf(path: string, { clientPath }: Options): Promise<string> {
  const clients = await findClients(clientPath ?? path);
  if (clients.length === 0) {
    throw new Error(`There are no pg_dump and pg_restore in ${clientPath ?? `the PATH ${path}`}.`);
  }
  const told = clients.map(async (client) => `pg_dump ${client.version} with ${await compressionOf(client)}`);
  return [...new Set(await Promise.all(told))].join(', ');
}

try {
  if (process.argv.includes('--help')) {
    say(USAGE);
  } else {
    await main(parseOptions(process.argv.slice(2)));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  const status = error instanceof Interrupted ? error.status : EXIT.failed;
  // What was under way when a signal came may not go on.
  process.exit(error instanceof InvalidOptions ? EXIT.misuse : status);
}
