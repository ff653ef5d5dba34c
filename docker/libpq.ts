import type { Target } from './target.ts';

/**
 * All that pg_dump and pg_restore see of the world: no credentials of AWS, nothing of the user's own set-up. The password goes this way
 * alone, and so do the names: as an argument, a database's name with `=` or of the form of a URL would be taken apart.
 * @param folder stands in for the home folder, so that no `~/.pgpass` or `~/.postgresql` has a say
 * @param rootsFile roots for `sslmode` verify-ca and verify-full
 */
export function libpqEnvironment(
  { host, port, user, password, database }: Target,
  {
    sslMode,
    rootsFile,
    folder,
    searchPath,
  }: { sslMode: string; rootsFile: string; folder: string; searchPath: string },
): NodeJS.ProcessEnv {
  return {
    PATH: searchPath,
    // Messages of the clients are read by archive-failure.ts.
    LC_ALL: 'C',
    HOME: folder,
    TMPDIR: folder,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: sslMode,
    PGSSLROOTCERT: rootsFile,
    PGGSSENCMODE: 'disable',
    PGCONNECT_TIMEOUT: '20',
    PGAPPNAME: 'autodump',
  };
}
