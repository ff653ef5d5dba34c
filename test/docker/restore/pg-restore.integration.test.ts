import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientFolder } from '../support/client-folder.ts';
import { CLIENT_PROGRAMS } from '../support/client-programs.ts';
import { keyOf, type Outcome, Stage } from '../support/stage.ts';
import { startRestore } from '../support/start-restore.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('source', 'CREATE TABLE t AS SELECT 1 AS one');
  expect(await stage.dump('source')).toMatchObject({ status: 0, stderr: '' });
});

afterAll(() => stage.tearDown());

/**
 * Restores with a script as pg_restore, and a PATH without a shell that could run it. It also lacks the program that
 * ends a child with its parent, which a process looks for only once.
 */
async function restoreWith(script: string, into: string, dumped = 'source'): Promise<Outcome> {
  const clients = await clientFolder('exec "$PG_DUMP" "$@"');
  const [folder = ''] = clients.path.split(':');
  await rm(join(folder, 'pg_restore'));
  await writeFile(join(folder, 'pg_restore'), script);
  await chmod(join(folder, 'pg_restore'), 0o755);
  await stage.createDatabase(into);
  const { outcome } = await startRestore(stage, dumped, into, [], { environment: { PATH: folder } });
  const ended = await outcome;
  await clients.remove();
  return ended;
}

test('a pg_restore that counts all statements as refused after losing the server is worth another try', async () => {
  const { status, stderr } = await restoreWith(
    `#!/bin/sh
    echo 'pg_restore: error: could not execute query: SSL connection has been closed unexpectedly' >&2
    echo 'Command was: CREATE TABLE t ();' >&2
    echo 'pg_restore: warning: errors ignored on restore: 1' >&2
    exit 1`,
    'lost before the end',
  );
  expect(stderr).toContain('pg_restore lost the connection to the server');
  expect(status).toBe(75);
});

test('a pg_restore that runs out of memory is worth another try, and says so', async () => {
  const { status, stderr } = await restoreWith('#!/bin/sh\necho out of memory >&2\nexit 1\n', 'without memory');
  expect(stderr).toMatch(/it ran out of memory on this machine. See the context jobMemoryMiB/);
  expect(status).toBe(75);
});

test.each([
  ['is killed', 'kill -KILL $$'],
  ['runs out of memory', 'echo out of memory >&2; exit 1'],
])('a pg_restore that %s while it reads the dump again does not show that this is damaged', async (what, end) => {
  const { status, stderr } = await restoreWith(
    `#!/bin/sh
    case "$*" in *--file=/dev/null*) ${end};; esac
    echo 'pg_restore: error: gave up' >&2
    exit 1`,
    `not known whether damaged, as it ${what}`,
  );
  expect(stderr).toContain('pg_restore exited with status 1 before the end of the dump. Its last error: ');
  expect(stderr).not.toContain('damaged data');
  expect(status).toBe(77);
});

describe('a pg_restore that reads what it has read before', () => {
  beforeAll(async () => {
    await stage.query('postgres', 'CREATE ROLE leaving');
    await stage.createDatabase('reread', 'CREATE TABLE never_filled ()', 'GRANT SELECT ON never_filled TO leaving');
    expect(await stage.dump('reread')).toMatchObject({ status: 0, stderr: '' });
    await stage.query('reread', 'DROP OWNED BY leaving', 'DROP ROLE leaving');
    // With a census, rows are compared with it, and not with what is read again.
    const manifest = await stage.manifestOf(keyOf('reread'));
    await stage.replaceManifest(keyOf('reread'), { ...manifest, tables: null });
  });

  test.each([
    ['the rows of the dump', '*--data-only*', 'kill -KILL $$', 'was ended by SIGKILL', 75],
    ['the rows of the dump', '*--data-only*', 'echo gave up >&2; exit 1', 'Its last message: gave up', 70],
    ['the grants of the dump', '*/grants*', 'echo out of memory >&2; exit 1', 'Its last message: out of memory', 75],
  ])('%s (%s), and then does %s: %s, status %i', async (what, args, end, says, expected) => {
    const { status, stderr } = await restoreWith(
      `#!/bin/sh\ncase "$*" in ${args}) ${end};; esac\nexec ${join(CLIENT_PROGRAMS, 'pg_restore')} "$@"\n`,
      `${args} ${end}`,
      'reread',
    );
    expect(stderr).toContain(`while it read ${what} again`);
    expect(stderr).toContain(says);
    expect(status).toBe(expected);
  });
});

test('a pg_restore that never started leaves nothing to drop', async () => {
  const { status, stdout, stderr } = await restoreWith('#!/nonexistent\n', 'untouched');
  expect(stderr).toContain('ENOENT');
  expect(stdout).toContain('matches the proven dump');
  expect(stdout).not.toContain('drop it');
  expect(status).toBe(70);
});
