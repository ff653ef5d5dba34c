import { existsSync } from 'node:fs';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ClientPrograms } from './client-programs.ts';
import { packageOf, serverPrograms } from './data-directory.ts';

/**
 * Folders for the PATH of jobs in which the programs of a PostgreSQL server are beside its client programs, as in an
 * image: those of the client programs that have them, and links to both where only the clients are installed.
 *
 * @param directory for the links; created if needed
 */
export async function serverFolders(clients: readonly ClientPrograms[], directory: string): Promise<readonly string[]> {
  const folders = clients
    .filter(({ folder }) => !existsSync(join(folder, 'postgres')))
    .map((client) => linkedFolder(client, join(directory, `${client.major}`)));
  return (await Promise.all(folders)).filter((folder) => folder !== undefined);
}

/** @returns undefined if there is no server of this major for this platform */
async function linkedFolder({ folder, major }: ClientPrograms, directory: string): Promise<string | undefined> {
  const found = await serverPrograms(packageOf(major), join(directory, 'server')).catch(() => undefined);
  if (found === undefined) {
    return undefined;
  }
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  // The umask keeps out the account that the server runs as, if this is root.
  await Promise.all([directory, bin].map((path) => chmod(path, 0o711)));
  const targets = [found.initdb, found.postgres, ...['pg_dump', 'pg_restore'].map((program) => join(folder, program))];
  for (const target of targets) {
    await symlink(target, join(bin, target.slice(dirname(target).length + 1)));
  }
  await symlink(join(dirname(found.postgres), '..', 'lib'), join(directory, 'lib'));
  return bin;
}
