import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface ClientFolder {
  /** A PATH that begins with the folder. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Creates a folder with a shell script as `pg_dump`, in which `$PG_DUMP` is the real program, and the real `pg_restore`.
 * With it, a dump can be made to fail in ways that are otherwise hard to cause.
 */
export async function clientFolder(script: string): Promise<ClientFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const [pgDump = '', pgRestore = ''] = await Promise.all(['pg_dump', 'pg_restore'].map(locate));
  await symlink(pgRestore, join(folder, 'pg_restore'));
  await writeFile(join(folder, 'pg_dump'), `#!/bin/sh\nPG_DUMP='${pgDump}'\n${script}\n`, { mode: 0o755 });
  return { path: `${folder}:/usr/bin:/bin`, remove: () => rm(folder, { recursive: true }) };
}

async function locate(program: string): Promise<string> {
  const { stdout } = await execute('sh', ['-c', `command -v ${program}`]);
  return stdout.trim();
}
