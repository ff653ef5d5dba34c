import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { ownIdentity, runningProcess } from './process-identity.ts';

/** Of a file's mode: the group, and everybody. */
const WRITABLE_BY_OTHERS = 0o022;

/** Marks a directory that a local run has made its own. */
const MARKER = 'autodump-local-run';

/**
 * What may be in a directory that is about to become one: a lock of ours, and the folder that every ext4 file system
 * has.
 */
const NEUTRAL_NAMES = /^(lock(\..*)?|lost\+found)$/;

/** Names in a message. */
const SHOWN = 3;

/** Another local run is using the directory. */
export class StateDirLocked extends Error {
  override readonly name = 'StateDirLocked';
}

/**
 * Locks a state directory for this process, creating it if needed, so that only this user may read it. A lock whose
 * process no longer runs is taken over.
 *
 * @returns a function that releases the lock
 * @throws {StateDirLocked} if another running process holds the lock
 * @throws {Error} if the directory cannot be created or written to, others may write to it, or it holds something else
 */
export async function lockStateDir(directory: string): Promise<() => Promise<void>> {
  try {
    refuseDelimiter(directory);
    await makeFolder(directory);
    await refuseForeign(directory);
    await refuseOccupied(directory);
    await chmod(directory, 0o700);
    await writeFile(
      join(directory, MARKER),
      'Local runs of AutoDump keep their files in this folder, and replace them.\n',
    );
    return await lockFolder(directory);
  } catch (cause) {
    if (cause instanceof StateDirLocked) {
      throw cause;
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${directory} cannot be used as the state directory: ${reason.replace(/[^.]$/, '$&.')} To use another one, pass --state-dir.`,
      { cause },
    );
  }
}

/** Reading does not follow a link, nor wait for the writer of a pipe. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** @returns a function that releases the lock. @throws {StateDirLocked} */
async function lockFolder(directory: string): Promise<() => Promise<void>> {
  const lock = join(directory, 'lock');
  const candidate = `${lock}.${randomUUID()}`;
  await writeFile(candidate, `${ownIdentity()}\n`, { flag: 'wx' });
  try {
    for (;;) {
      if (await linkNew(candidate, lock)) {
        return () => rm(lock, { force: true });
      }
      const holder = runningProcess((await readFile(lock, { encoding: 'utf8', flag: AS_IT_IS })).trim());
      if (holder !== undefined) {
        throw new StateDirLocked(
          `Another local run (process ${holder}) uses the state directory ${directory}. ` +
            `Wait until it ends, or choose another directory with --state-dir. If that process is not a local run, delete ${lock}.`,
        );
      }
      await rm(lock, { force: true });
    }
  } finally {
    await rm(candidate, { force: true });
  }
}

/**
 * Creates a folder and those above it, unless they exist. `mkdir` with the option `recursive` never ends in a folder in
 * which nothing can be created, such as /proc.
 */
async function makeFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && directory !== dirname(directory)) {
      await makeFolder(dirname(directory));
      await mkdir(directory, { mode: 0o700 });
    } else if (codeOf(error) !== 'EEXIST') {
      throw error;
    }
  }
}

/** What others put there, such as links, would be followed. */
async function refuseForeign(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  const user = process.getuid?.();
  if (user !== undefined && uid !== user) {
    throw new Error(`it belongs to the user ${uid}, and this is ${user}.`);
  }
  if (user !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new Error(`other users may write to it, since its mode is ${(mode & 0o7777).toString(8)}.`);
  }
}

/** Jobs find their programs in a folder of the directory. */
function refuseDelimiter(directory: string): void {
  if (directory.includes(delimiter)) {
    throw new Error(`its path contains "${delimiter}", which separates the folders of a PATH.`);
  }
}

/** A local run deletes and replaces what is there. */
async function refuseOccupied(directory: string): Promise<void> {
  const names = await readdir(directory);
  const others = names.filter((name) => !NEUTRAL_NAMES.test(name));
  if (others.length > 0 && !names.includes(MARKER)) {
    const more = others.length > SHOWN ? ', …' : '';
    throw new Error(
      `it is not empty, and lacks the file ${MARKER}, which a local run puts there: it holds ` +
        `${others.slice(0, SHOWN).join(', ')}${more}. If an earlier version of AutoDump made it, delete it.`,
    );
  }
}

/** A link appears atomically, so a lock always names its holder. @returns whether `to` was created */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
