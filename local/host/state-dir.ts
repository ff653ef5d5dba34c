import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another local run works in the folder. */
export class StateDirTaken extends Error {
  override readonly name = 'StateDirTaken';
}

/**
 * Takes a state directory for this process, and makes it if it is not there. What a process left that is not running
 * any more is taken over.
 *
 * @returns gives it back
 * @throws {StateDirTaken}
 * @throws {Error} if the directory can't be made
 */
export async function takeStateDir(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'lock');
  const own = `${file}.${process.pid}`;
  try {
    // Dumps hold what the database holds: nobody else's business on this machine.
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(own, `${process.pid}\n`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${directory} can't be the state directory: ${reason}. Give another one with --state-dir.`, {
      cause,
    });
  }
  try {
    for (;;) {
      if (await linked(own, file)) {
        return () => rm(file, { force: true });
      }
      const holder = Number(await readFile(file, 'utf8'));
      if (isRunning(holder)) {
        throw new StateDirTaken(
          `Another local run (process ${holder}) uses the state directory ${directory}. ` +
            `Wait for its end, or give this one its own with --state-dir. If that process is something else, delete ${file}.`,
        );
      }
      await rm(file, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** A link is made at once and whole, so that a lock always says who holds it. */
async function linked(from: string, to: string): Promise<boolean> {
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

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
