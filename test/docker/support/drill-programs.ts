import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sharedDataDirectory } from '../../support/postgres.ts';
import { shared } from '../../support/shared.ts';
import { CLIENT_PROGRAMS } from './client-programs.ts';

async function linkAll(programs: readonly string[], folder: string): Promise<void> {
  for (const program of programs) {
    await symlink(program, join(folder, basename(program)));
  }
}

async function clientPrograms(): Promise<readonly string[]> {
  return (await readdir(CLIENT_PROGRAMS)).map((name) => join(CLIENT_PROGRAMS, name));
}

/** Value of PATH for drills: the client programs, and beside them a server of the same major as the stage's. */
export const DRILL_PROGRAMS = await shared('drill-programs', async (folder) => {
  const { programs } = await sharedDataDirectory();
  await mkdir(folder);
  await linkAll([...(await clientPrograms()), programs.initdb, programs.postgres], folder);
});

/** The same with a server that lacks an extension. @param folder to create it in; everybody must be able to enter it */
export async function drillProgramsWithout(extension: string, folder: string): Promise<string> {
  const { programs } = await sharedDataDirectory();
  const copy = join(folder, 'server');
  await promisify(execFile)('cp', ['-a', dirname(dirname(programs.postgres)), copy]);
  await rm(join(copy, 'share', 'postgresql', 'extension', `${extension}.control`));
  await linkAll(await clientPrograms(), join(copy, 'bin'));
  return join(copy, 'bin');
}
