import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import { startPostgres } from '../../support/postgres.ts';
import { pathOfQuickSynthesis } from '../../support/synthesized-app.ts';
import { query } from './database.ts';

const MAIN = fileURLToPath(new URL('../../../local/main.ts', import.meta.url));

/** Characters with a special meaning in shells, URLs, SQL and connection strings. */
export const PASSWORD = `' " \\ $ ( ) ; | & % # @ : / ü x`;

/** How a local run ended, and its output. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output. */
  readonly json: Record<string, unknown>;
}

export interface LocalRun {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

let server: PostgresServer;
const running: ChildProcess[] = [];
const folders: string[] = [];

/** Starts the server of this file's runs, with the database `My shop`, which `reader` may dump. */
export function useServerOfRuns(): void {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'autodump-test-'));
    server = await startPostgres(data);
    await query(
      server,
      'postgres',
      `create role reader login password ${literal(PASSWORD)}`,
      'create database "My shop"',
      'create database restored',
    );
    await query(
      server,
      'My shop',
      'create table "Größe" (id int generated always as identity, "it\'s" text)',
      `insert into "Größe" ("it's") select 'row ' || n from generate_series(1, 1000) n`,
      'create view uneven as select * from "Größe" where id % 2 = 1',
      'grant pg_read_all_data to reader',
    );
  });
  afterAll(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode === null) {
        child.kill('SIGKILL');
      }
    }
    for (const folder of folders.splice(0)) {
      await rm(folder, { recursive: true });
    }
  });
}

export function serverOfRuns(): PostgresServer {
  return server;
}

function literal(value: string): string {
  return ` E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Creates a folder, which is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  folders.push(folder);
  return folder;
}

export function spawnRun(args: readonly string[], environment: NodeJS.ProcessEnv = {}): LocalRun {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const end = async (): Promise<Outcome> => {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    const last = stdout.trimEnd().split('\n').at(-1) ?? '';
    const json = last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {};
    return { status: child.exitCode, stdout, stderr, json };
  };
  return { child, ended: end() };
}

/** Starts a local run whose `cdk synth` copies the app that the tests share. */
export async function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<LocalRun> {
  return spawnRun(args, { PATH: await pathOfQuickSynthesis(), ...environment });
}

export function url(database: string): string {
  return `postgres://reader@${server.host}:${server.port}/${encodeURIComponent(database)}`;
}

/** Processes whose command line contains the folder. */
export async function processesIn(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args']);
  return stdout.split('\n').filter((line) => line.includes(folder));
}

/** Resolves when the run has printed the text to standard error. */
export async function printed(child: ChildProcess, part: string): Promise<void> {
  let all = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      all += chunk.toString();
      if (all.includes(part)) {
        resolve();
      }
    });
    child.on('close', () => {
      reject(new Error(`The run ended without printing "${part}": ${all}`));
    });
  });
}
