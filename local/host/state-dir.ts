import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from './processes.ts';

/** Another local run is using the directory. */
export class StateDirLocked extends Error {
  override readonly name = 'StateDirLocked';
}

/**
 * Locks a state directory for this process, creating it if needed. A lock whose process no longer runs is taken over.
 *
 * @returns a function that releases the lock
 * @throws {StateDirLocked} if another running process holds the lock
 * @throws {Error} if the directory cannot be created or written to
 */
export async function lockStateDir(directory: string): Promise<() => Promise<void>> {
  const lock = join(directory, 'lock');
  const candidate = `${lock}.${process.pid}`;
  try {
    // Dumps contain the database's data, so other users of this machine must not read them.
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(candidate, `${process.pid}\n`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${directory} cannot be used as the state directory: ${reason}. Choose another one with --state-dir.`,
      {
        cause,
      },
    );
  }
  try {
    for (;;) {
      if (await linkNew(candidate, lock)) {
        return () => rm(lock, { force: true });
      }
      const holder = Number(await readFile(lock, 'utf8'));
      if (isRunning(holder)) {
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
