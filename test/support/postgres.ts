import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { createDataDirectory, type DataDirectory } from '../../local/postgres/data-directory.ts';
import { type PostgresServer, servePostgres } from '../../local/postgres/server.ts';
import { shared } from './shared.ts';

const dataDirectory: z.ZodType<DataDirectory> = z.object({
  path: z.string(),
  programs: z.object({ initdb: z.string(), postgres: z.string() }),
  account: z.object({ uid: z.int(), gid: z.int() }).optional(),
  user: z.string(),
  password: z.string(),
});

/** Databases of tests are small. A server that has to fill more memory with them takes longer to start. */
const SMALL = ['shared_buffers=16MB'];

/** A data directory that all test files share, and that no server uses. */
export async function sharedDataDirectory(): Promise<DataDirectory> {
  const folder = await shared('postgres', async (created) => {
    const description = JSON.stringify(await createDataDirectory(created, 'embedded-postgres'));
    await writeFile(`${created}.json`, description, { mode: 0o600 });
  });
  return dataDirectory.parse(JSON.parse(await readFile(`${folder}.json`, 'utf8')));
}

/**
 * Starts a PostgreSQL server as the local run does, but with a copy of a data directory that all test files share:
 * creating one takes longer than all else.
 *
 * @param directory folder for this server only; created if needed, and not removed by `stop`
 * @param settings further settings of the server, as `name=value`
 */
export async function startPostgres(directory: string, settings: readonly string[] = []): Promise<PostgresServer> {
  const original = await sharedDataDirectory();
  const { account } = original;
  await mkdir(directory, { recursive: true });
  if (account !== undefined) {
    await chown(directory, account.uid, account.gid);
  }
  const path = join(directory, 'data');
  // Node.js takes ten times as long to copy it.
  await promisify(execFile)('cp', ['-a', original.path, path]);
  return servePostgres({ ...original, path }, [...SMALL, ...settings]);
}
