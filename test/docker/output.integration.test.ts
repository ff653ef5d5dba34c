import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundledProgram } from './support/program.ts';
import { Stage } from './support/stage.ts';

/** The SQL for so many tables is several times what a pipe holds. */
const TABLES = 5_000;

const READER = { secret: { username: 'reader', password: 'p' } };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  // A transaction may not lock as many tables as there are.
  const batches = Array.from({ length: 50 }, (_, batch) => {
    const names = `generate_series(${batch * 100 + 1}, ${batch * 100 + 100})`;
    return `DO $$ DECLARE n int; BEGIN FOR n IN SELECT ${names} LOOP
      EXECUTE format('CREATE TABLE a_table_whose_name_is_not_short_%s ()', n); END LOOP; END $$`;
  });
  await stage.createDatabase('wide', `CREATE ROLE reader LOGIN PASSWORD 'p'`, ...batches);
});

afterAll(async () => {
  await stage.tearDown();
});

test('a check of many tables prints all that it has found', async () => {
  const { status, stdout } = await stage.check('wide', READER);
  expect(status).toBe(77);
  expect(new Set(stdout.match(/a_table_whose_name_is_not_short_\d+/g)).size).toBe(TABLES);
  expect(stdout.length).toBeGreaterThan(4 * 64 * 1024);
  expect(stdout.endsWith('\n')).toBe(true);
});

test('help whose reader has gone does not end as if it had been read', async () => {
  const program = spawn(process.execPath, ['docker/main.ts', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  program.stdout.destroy();
  const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  expect(stderr).toBe(
    'AutoDump failed: temporary failure (exit status 141): The output cannot be written: write EPIPE\n',
  );
  expect(exit).toEqual([141, null]);
});

test('help that the disk has no room for does not end as if it had been written', async () => {
  // The bundle starts otherwise than its source: here, the error comes before the end.
  const { main } = await bundledProgram();
  const full = openSync('/dev/full', 'w');
  const program = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  const [stderr, exit] = await Promise.all([text(program.stderr ?? Readable.from([])), once(program, 'exit')]);
  expect(stderr).toBe(
    'AutoDump failed: temporary failure (exit status 75): The output cannot be written: ' +
      'ENOSPC: no space left on device, write\n',
  );
  expect(exit).toEqual([75, null]);
});

test('a run that waits for what never comes does not end as if it were done', async () => {
  const stuck = `data:text/javascript,import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
    fs.promises.mkdtemp = () => new Promise(() => {}); syncBuiltinESMExports();`;
  const to = 'postgres://me@127.0.0.1/app';
  const args = ['--import', stuck, 'docker/main.ts', 'restore', 's3://dumps/key', '--to', to];
  const program = spawn(process.execPath, args, {
    env: { AWS_REGION: 'us-west-2', TMPDIR: tmpdir() },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, exit] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  expect(stderr).toContain('nothing left to wait for, and yet no result');
  expect(exit).toEqual([70, null]);
});

test('a program that is asked to end does not wait for a reader that has stopped reading', async () => {
  const script = `
    import { flushOutput } from './docker/output.ts';
    const controller = new AbortController();
    process.on('SIGTERM', () => controller.abort());
    process.stdout.write('x'.repeat(1_000_000));
    process.stderr.write('written');
    await flushOutput(controller.signal);
    process.exit(77);`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(program, 'exit');
  await once(program.stderr, 'data');
  program.kill('SIGTERM');
  expect(await exit).toEqual([77, null]);
  program.stdout.destroy();
});
