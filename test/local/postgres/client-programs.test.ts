import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findClientPrograms } from '../../../local/postgres/client-programs.ts';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

/** Writes programs that print a version. */
function programs(directory: string, version: string, withRestore = true): string {
  mkdirSync(directory, { recursive: true });
  for (const name of withRestore ? ['pg_dump', 'pg_restore'] : ['pg_dump']) {
    const text = `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`;
    writeFileSync(join(directory, name), text, { mode: 0o755 });
  }
  return directory;
}

describe('findClientPrograms', () => {
  test.each([
    ['Debian', 'usr/lib/postgresql/17/bin'],
    ['Red Hat', 'usr/pgsql-17/bin'],
    ['Homebrew on Apple silicon', 'opt/homebrew/opt/postgresql@17/bin'],
    ['libpq from Homebrew on Apple silicon', 'opt/homebrew/opt/libpq/bin'],
    ['Homebrew on Intel', 'usr/local/opt/postgresql@17/bin'],
    ['libpq from Homebrew on Intel', 'usr/local/opt/libpq/bin'],
  ])('finds those of %s', async (_, place) => {
    const root = folder();
    const directory = programs(join(root, place), '17.2 (Homebrew)');
    expect(await findClientPrograms('', root)).toEqual([{ folder: directory, version: '17.2', major: 17 }]);
  });

  test('finds all on the PATH, without duplicates and incomplete folders', async () => {
    const root = folder();
    const sixteen = programs(join(root, 'a'), '16.4');
    const incomplete = programs(join(root, 'b'), '17.0', false);
    const eighteen = programs(join(root, 'usr/lib/postgresql/18/bin'), '18.1 (Debian 18.1-1)');
    const again = join(root, 'again');
    symlinkSync(eighteen, again);
    const searchPath = [sixteen, incomplete, again, '', join(root, 'absent')].join(delimiter);
    expect((await findClientPrograms(searchPath, root)).map(({ version }) => version)).toEqual(['16.4', '18.1']);
  });

  test("ignores Debian's wrapper, which calls one of the others", async () => {
    const root = folder();
    const wrapper = join(root, 'pg_wrapper');
    writeFileSync(wrapper, '#!/bin/sh\necho "pg_dump (PostgreSQL) 16.4"\n', { mode: 0o755 });
    const bin = join(root, 'bin');
    mkdirSync(bin);
    for (const name of ['pg_dump', 'pg_restore']) {
      symlinkSync(wrapper, join(bin, name));
    }
    expect(await findClientPrograms(bin, root)).toEqual([]);
  });
});
