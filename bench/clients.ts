import { delimiter } from 'node:path';
import { Misuse } from '../local/host/misuse.ts';
import { type ClientPrograms, findClientPrograms } from '../local/postgres/client-programs.ts';

/** The client programs that the engine chooses from, and a PATH that has them. */
export interface Clients {
  readonly programs: readonly ClientPrograms[];
  readonly path: string;
}

/**
 * Finds client programs on a path. Where only Debian's wrappers are, or nothing, those of the newest version in the
 * folders of the distribution are put before it.
 *
 * @param clientPath folder that comes first
 * @throws {Misuse} if that has no client programs
 * @throws {Error} if there are none
 */
export async function findClients(clientPath: string | undefined, searchPath: string): Promise<Clients> {
  const folders = [...(clientPath === undefined ? [] : [clientPath]), ...searchPath.split(delimiter)];
  const path = folders.join(delimiter);
  const found = await findClientPrograms(path);
  const onPath = found.filter(({ folder }) => folders.includes(folder));
  if (clientPath !== undefined && !onPath.some(({ folder }) => folder === clientPath)) {
    throw new Misuse(`--client-path ${clientPath} has no pg_dump and pg_restore: give the folder that they are in.`);
  }
  const [newest] = found.toSorted((one, other) => other.major - one.major);
  if (newest === undefined) {
    throw new Error(`There are no pg_dump and pg_restore on the PATH ${path}. Install them, or pass --client-path.`);
  }
  return onPath.length > 0
    ? { programs: onPath, path }
    : { programs: [newest], path: `${newest.folder}${delimiter}${path}` };
}
