import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_PROGRAMS } from './client-programs.ts';

export interface ClientFolder {
  /** Value for PATH, in which the folder comes first. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Creates a folder with a shell script as `pg_dump`, in which `$PG_DUMP` is the real program, and the real
 * `pg_restore`. With it, a dump can be made to fail in ways that are otherwise hard to cause.
 */
export async function clientFolder(script: string): Promise<ClientFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  await symlink(join(CLIENT_PROGRAMS, 'pg_restore'), join(folder, 'pg_restore'));
  await writeFile(
    join(folder, 'pg_dump'),
    `#!/bin/sh\nPATH=/usr/bin:/bin\nPG_DUMP='${join(CLIENT_PROGRAMS, 'pg_dump')}'\n${script}\n`,
    { mode: 0o755 },
  );
  return { path: `${folder}:${CLIENT_PROGRAMS}`, remove: () => rm(folder, { recursive: true }) };
}
