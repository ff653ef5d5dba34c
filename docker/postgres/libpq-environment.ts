import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionSettings } from './connection-settings.ts';
import type { TlsPolicy } from './tls.ts';

/**
 * Options of libpq that have no environment variable, as the value of `--dbname`: a server that vanishes silently is
 * noticed after two minutes. It must contain no secret, and no database name, which libpq could parse as more options.
 */
export const KEEPALIVE = 'keepalives_idle=60 keepalives_interval=10 keepalives_count=6';

/**
 * All that pg_dump and pg_restore see of the world: no credentials of AWS, nothing of the user's own set-up. The
 * password goes this way alone, and so do the names: as an argument, a database's name with `=` or of the form of a URL
 * would be taken apart.
 *
 * @param folder stands in for the home folder, so that no `~/.pgpass` or `~/.postgresql` has a say; the roots are put
 * there
 * @param searchPath folders of programs, as in PATH
 */
export async function libpqEnvironment(
  { host, port, user, password, database }: ConnectionSettings,
  { mode, roots }: TlsPolicy,
  folder: string,
  searchPath: string,
): Promise<NodeJS.ProcessEnv> {
  const environment = {
    PATH: searchPath,
    // The clients' own messages are read by archive-failure.ts.
    LC_ALL: 'C',
    HOME: folder,
    TMPDIR: folder,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: mode,
    PGGSSENCMODE: 'disable',
    PGCONNECT_TIMEOUT: '20',
    PGAPPNAME: 'autodump',
  };
  // Only where they are to be used: libpq verifies with `require` as well if it has roots.
  if (roots === undefined) {
    return environment;
  }
  const rootsFile = join(folder, 'roots.pem');
  await writeFile(rootsFile, roots);
  return { ...environment, PGSSLROOTCERT: rootsFile };
}
