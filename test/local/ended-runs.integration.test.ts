import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { until } from '../support/until.ts';
import { query } from './support/database.ts';
import {
  type LocalRun,
  PASSWORD,
  printed,
  processesIn,
  serverOfRuns,
  spawnRun,
  start,
  temporaryFolder,
  url,
  useServerOfRuns,
} from './support/local-runs.ts';

useServerOfRuns();

describe('a signal stops everything', () => {
  async function expectNothingLeftIn(directory: string): Promise<void> {
    expect(await processesIn(directory)).toEqual([]);
    expect(await readdir(directory)).not.toContain('lock');
    const objects = await readdir(join(directory, 's3'), { recursive: true }).catch(() => []);
    expect(objects.filter((name) => name.endsWith('.dmp'))).toEqual([]);
  }

  test('while preparing', async () => {
    const directory = await temporaryFolder();
    const { child, ended } = spawnRun(['--json', '--state-dir', directory]);
    await once(child.stderr ?? child, 'data');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ status: 130, json: { status: 'failed', step: 'interrupted' } });
    await expectNothingLeftIn(directory);
  });

  test.each(['Creating the secret', 'Scanner/Function', 'Batch job'])('right after the output "%s"', async (text) => {
    const directory = await temporaryFolder();
    const args = ['--json', '--state-dir', directory, '--database', url('My shop')];
    const { child, ended } = await start(args, { PGPASSWORD: PASSWORD });
    await printed(child, text);
    child.kill('SIGINT');
    const { status, json, stderr } = await ended;
    expect({ status, json }).toMatchObject({ status: 130, json: { status: 'failed', step: 'interrupted' } });
    expect(stderr).not.toContain('Cleanup failed');
    await expectNothingLeftIn(directory);
  });

  test('during a dump', async () => {
    const directory = await temporaryFolder();
    const holder = new pg.Client({ ...serverOfRuns(), database: 'My shop' });
    await holder.connect();
    // The dump waits for this lock until it is terminated.
    try {
      await holder.query('begin; lock table "Größe" in access exclusive mode');
      const args = ['--json', '--state-dir', directory, '--database', url('My shop')];
      const { child, ended } = await start(args, { PGPASSWORD: PASSWORD });
      await printed(child, '| Database');
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ status: 143, json: { status: 'failed', step: 'interrupted' } });
    } finally {
      await holder.end();
    }
    await expectNothingLeftIn(directory);
  });
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;

const WAITING = "select 1 from pg_stat_activity where application_name = 'autodump' and wait_event_type = 'Lock'";

onLinux('a kill', () => {
  /** Processes of which an argument or a variable names the folder of the state directory, by their ID. */
  async function processesOf(stateDir: string): Promise<ReadonlyMap<number, string>> {
    const directory = dirname(stateDir);
    const found = new Map<number, string>();
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const args = await read('cmdline');
      if (args.includes(directory) || (await read('environ')).includes(directory)) {
        found.set(Number(pid), args.replaceAll('\0', ' '));
      }
    }
    return found;
  }

  async function untilNothingRunsIn(directory: string): Promise<void> {
    await until(async () => (await processesOf(directory)).size === 0);
  }

  /** Has a dump wait for a lock meanwhile. */
  async function duringDump(work: (directory: string, run: LocalRun) => Promise<void>): Promise<void> {
    // Jobs work in TMPDIR.
    const TMPDIR = await temporaryFolder();
    const directory = join(TMPDIR, 'state');
    const holder = new pg.Client({ ...serverOfRuns(), database: 'My shop' });
    await holder.connect();
    try {
      await holder.query('begin; lock table "Größe" in access exclusive mode');
      const args = ['--json', '--state-dir', directory, '--database', url('My shop')];
      const run = await start(args, { PGPASSWORD: PASSWORD, TMPDIR });
      await until(async () => (await query(serverOfRuns(), 'My shop', WAITING)).length > 0);
      await work(directory, run);
    } finally {
      await holder.end();
    }
  }

  test('of the local run ends all that it has started, and the next run goes on in its folder', async () => {
    await duringDump(async (directory, { child, ended }) => {
      child.kill('SIGKILL');
      await ended;
      await untilNothingRunsIn(directory);
      const args = ['--json', '--state-dir', directory, '--database', 'postgres://reader@127.0.0.1:1/x'];
      const next = await start(args, { PGPASSWORD: PASSWORD });
      expect(await next.ended).toMatchObject({ status: 1, json: { step: 'dump' } });
      expect((await readdir(directory)).sort()).toEqual(['autodump-local-run', 'cdk.out', 'log', 's3']);
    });
  });

  test('of the dump program ends its pg_dump', async () => {
    await duringDump(async (directory, { child, ended }) => {
      const [program] = [...(await processesOf(directory))].find(([, line]) => line.includes('autodump.js')) ?? [];
      const dumps = async (): Promise<readonly string[]> =>
        [...(await processesOf(directory)).values()].filter((line) => /pg_dump .*--file/.test(line));
      expect(await dumps()).toHaveLength(1);
      process.kill(program ?? NaN, 'SIGKILL');
      await printed(child, 'Batch job ended with exit status 137');
      await until(async () => (await dumps()).length === 0);
      child.kill('SIGTERM');
      await ended;
    });
  });
});
