import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ClientFolder, clientFolder } from '../support/client-folder.ts';
import { inState, rowsOf } from '../support/findings-table.ts';
import { keyOf, Stage } from '../support/stage.ts';
import { startRestore } from '../support/start-restore.ts';

let stage: Stage;
const folders: ClientFolder[] = [];

beforeAll(async () => {
  stage = await Stage.setUp();
  await stage.createDatabase('app', 'CREATE TABLE t AS SELECT 1');
  await stage.createDatabase('other', 'CREATE TABLE t AS SELECT 1');
  await stage.createDatabase('target');
});

afterAll(async () => {
  await stage.tearDown();
  await Promise.all(folders.map((folder) => folder.remove()));
});

/** A PATH with programs of a version, by their own word, and no others. */
async function clientsOf(version: string): Promise<{ readonly PATH: string }> {
  const folder = await clientFolder(`
    [ "$1" = --version ] && echo "pg_dump (PostgreSQL) ${version}" && exit
    exec "$PG_DUMP" "$@"`);
  folders.push(folder);
  const [own = ''] = folder.path.split(':');
  return { PATH: own };
}

test('programs that run code of a crafted archive are refused by the check, by dumps and by restores', async () => {
  const environment = await clientsOf('16.15 (Debian 16.15-1.pgdg13+1)');
  const refusal = expect.stringMatching(/16\.15 is refused.*CVE-2026-116314.*install 16\.16 or later/);
  const checked = await stage.check('app', { environment });
  expect(checked).toMatchObject({ status: 77, stderr: refusal });
  expect(inState(checked, 'problem')).toEqual(['Server version']);
  expect(await stage.dump('app', { environment })).toMatchObject({ status: 77, stderr: refusal });
  expect(await stage.hasObject(keyOf('app'))).toBe(false);
  expect(await stage.dump('app')).toMatchObject({ status: 0 });
  const { outcome } = await startRestore(stage, 'app', 'target', [], { environment });
  expect(await outcome).toMatchObject({ status: 77, stderr: refusal });
  expect(await stage.query('target', "SELECT 1 FROM pg_class WHERE relname = 't'")).toEqual([]);
});

test('those of a major that the image does not have are used with a warning', async () => {
  const environment = await clientsOf('15.19');
  const warning = expect.stringMatching(/pg_restore 15\.19 .*CVE-2026-116314.*install 15\.20 or later/);
  const checked = await stage.check('other', { environment });
  expect(checked.status).toBe(0);
  expect(rowsOf(checked)['Server version']).toEqual(['warning', warning]);
  // In a process of its own: the PATH lacks the program that ends a child with its parent, for which a process looks
  // only once.
  const dumping = await stage.start('other', { environment });
  expect(await dumping.outcome).toMatchObject({ status: 0, stdout: warning });
  const restoring = await startRestore(stage, 'other', 'target', [], { environment });
  expect(await restoring.outcome).toMatchObject({ status: 0, stdout: warning });
});
