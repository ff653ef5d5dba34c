import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../failure.ts';
import type { PostgresClient } from '../../postgres/clients.ts';
import type { StoredDump } from '../../restore/stored-dump/stored-dump.ts';

/** The programs of a PostgreSQL server. */
export interface ServerPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
  /** Folder of the libraries that it can load. */
  readonly libraries: string;
}

/** The servers whose programs are in the same folders as client programs, as packages for both install them. */
export function serversBeside(clients: readonly PostgresClient[]): readonly ServerPrograms[] {
  return clients
    .map(({ pgRestore, major }) => {
      const folder = dirname(pgRestore);
      return {
        initdb: join(folder, 'initdb'),
        postgres: join(folder, 'postgres'),
        major,
        libraries: join(folder, '..', 'lib'),
      };
    })
    .filter(({ initdb, postgres }) => existsSync(initdb) && existsSync(postgres));
}

/**
 * The server for a dump: of its own major, or else of the oldest newer one; if the manifest does not say its major, the
 * newest.
 *
 * @throws {Failure} `refused` if there is none
 */
export function chooseServer<T extends Pick<ServerPrograms, 'major'>>(
  servers: readonly T[],
  { serverVersion }: Pick<StoredDump, 'serverVersion'>,
): T {
  const dumped = serverVersion === null ? undefined : Number.parseInt(serverVersion);
  const sorted = servers.filter(({ major }) => major >= (dumped ?? 0)).sort((one, other) => one.major - other.major);
  const server = dumped === undefined ? sorted.at(-1) : sorted[0];
  if (server === undefined) {
    const majors = servers.map(({ major }) => major).join(', ');
    throw new Failure(
      'refused',
      `A drill restores into a server that it starts itself, from the folder of pg_restore on the PATH. ` +
        (majors === ''
          ? 'There is none: run the image of the drill job.'
          : `The dump is of PostgreSQL ${serverVersion ?? ''}, and there are only older ones: ${majors}.`),
    );
  }
  return server;
}
