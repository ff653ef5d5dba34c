import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionSettings } from './connection-settings.ts';
import type { TlsPolicy } from './tls/tls.ts';

/**
 * Options of libpq that have no environment variable, as the value of `--dbname`: a server that vanishes silently is
 * noticed after two minutes. It must contain no secret, and no database name, which libpq could parse as more options.
 */
export const KEEPALIVE = 'keepalives_idle=60 keepalives_interval=10 keepalives_count=6';

/**
 * The complete environment of pg_dump and pg_restore: no AWS credentials, and none of the user's own settings. The
 * password is passed only here, and so are names: libpq would parse a database name with `=` or in the form of a URL
 * if it were an argument.
 *
 * @param folder replaces the home folder, so that `~/.pgpass` and `~/.postgresql` have no effect; root certificates are
 * written there
 * @param searchPath in the format of PATH
 */
export async function libpqEnvironment(
  { host, port, user, password, database }: ConnectionSettings,
  { mode, roots }: TlsPolicy,
  folder: string,
  searchPath: string,
): Promise<NodeJS.ProcessEnv> {
  const environment = {
    PATH: searchPath,
    // pg-dump-failure.ts and pg-restore-errors.ts match the programs' messages.
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
  // Only if the mode verifies: with root certificates, libpq verifies for `require` as well.
  if (roots === undefined) {
    return environment;
  }
  const rootsFile = join(folder, 'roots.pem');
  await writeFile(rootsFile, roots);
  return { ...environment, PGSSLROOTCERT: rootsFile };
}
