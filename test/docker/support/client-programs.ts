import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findClientPrograms } from '../../../local/postgres/client-programs.ts';
import { shared } from '../../support/shared.ts';

/** With these, a child of the program is killed with it. */
const SYSTEM_PROGRAMS = ['/usr/bin/setpriv', '/usr/bin/true'];

/**
 * Value of PATH for the dump program: the newest client programs, and few others. On Debian, the client programs on the
 * PATH are a wrapper, which starts Perl for each call.
 */
export const CLIENT_PROGRAMS = await shared('client-programs', async (folder) => {
  const [newest] = [...(await findClientPrograms(process.env.PATH ?? ''))].sort((a, b) => b.major - a.major);
  if (newest === undefined) {
    throw new Error('Install pg_dump and pg_restore.');
  }
  await mkdir(folder);
  for (const program of ['pg_dump', 'pg_restore'].map((name) => join(newest.folder, name)).concat(SYSTEM_PROGRAMS)) {
    if (existsSync(program)) {
      await symlink(program, join(folder, basename(program)));
    }
  }
});
