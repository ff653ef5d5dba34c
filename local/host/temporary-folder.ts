import { constants } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { Misuse } from './misuse.ts';
import { ownIdentity, runningProcess } from './process-identity.ts';

/**
 * Checks the folder for temporary files, of this process and its children.
 *
 * @throws {Misuse} if it is relative, cannot be part of a PATH, does not exist, or nothing can be created in it
 */
export async function checkTemporaryFolder(): Promise<void> {
  const folder = tmpdir();
  const advice = 'Set TMPDIR to the absolute path of a folder that you may write to, such as /tmp, or unset it.';
  if (!isAbsolute(folder)) {
    throw new Misuse(`TMPDIR is "${folder}", which is a relative path. ${advice}`);
  }
  if (folder.includes(delimiter)) {
    throw new Misuse(`TMPDIR is "${folder}". A "${delimiter}" separates the folders of a PATH. ${advice}`);
  }
  try {
    await access(folder, constants.R_OK);
    // In some folders, such as /proc, not even root can create anything.
    const [, remove] = await temporaryFolder('check');
    await remove();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Misuse(`The folder for temporary files cannot be used: ${reason}. ${advice}`, { cause: error });
  }
}

/** Process IDs mean something on one host only, and containers may share the folder. */
const HOST = hostname().replace(/\W/g, '').slice(0, 40);

const OWNED = new RegExp(`^autodump-[a-z]+-${HOST}-([\\d.]+)-\\w{6}$`);

/** Whether a process on this host created a folder of this name with {@link temporaryFolder}, and has ended. */
export function isAbandoned(name: string): boolean {
  const [, owner] = OWNED.exec(name) ?? [];
  return owner !== undefined && runningProcess(owner) === undefined;
}

/**
 * Creates a folder for temporary files, which only this user can read.
 *
 * @param name what it is for: lower-case letters
 * @returns its path, and a function that removes it
 */
export async function temporaryFolder(name: string): Promise<readonly [folder: string, remove: () => Promise<void>]> {
  const folder = await mkdtemp(join(tmpdir(), `autodump-${name}-${HOST}-${ownIdentity()}-`));
  return [folder, () => rm(folder, { recursive: true, force: true })];
}
