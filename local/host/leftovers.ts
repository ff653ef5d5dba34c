import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning } from './processes.ts';
import { isAbandoned } from './temporary-folder.ts';

/** How long a process may take to end after SIGINT, which is a fast shutdown for PostgreSQL. */
const GRACE_MS = 10_000;

const POLL_MS = 50;

/**
 * Ends and removes what programs that were killed have left in the folder for temporary files.
 *
 * @param report receives a line for each folder that cannot be removed
 */
export async function removeLeftovers(report: (line: string) => void): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!isAbandoned(name) || !(await isOurs(folder))) {
      continue;
    }
    try {
      await endProcessesOf(folder);
      await rm(folder, { recursive: true, force: true });
    } catch (error) {
      report(`What a killed run left in ${folder} cannot be removed: ${String(error)}`);
    }
  }
}

/** Whether it is a folder of this user, and so not one that somebody else has put there to be followed. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

/** Ends the programs that a killed program had started for a folder. */
async function endProcessesOf(folder: string): Promise<void> {
  const pids = async () => (await describedProcesses()).filter(([, words]) => works(words, folder)).map(([pid]) => pid);
  const deadline = performance.now() + GRACE_MS;
  for (let left = await pids(); left.length > 0; left = await pids()) {
    for (const pid of left.filter(isRunning)) {
      process.kill(pid, performance.now() < deadline ? 'SIGINT' : 'SIGKILL');
    }
    await sleep(POLL_MS);
  }
}

/** Options of the PostgreSQL server and of `cdk synth`, which the path of the folder that they write to follows. */
const WRITES_TO: ReadonlySet<string | undefined> = new Set(['-D', '--output']);

/** Variables of what initdb, `cdk synth` and the measured programs start. */
const WORKS_IN = ['PGDATA=', 'TMPDIR='];

/**
 * Whether a process works for a folder. That the path occurs somewhere is not enough: in a shell that has been there,
 * it is in OLDPWD, and so it is in everything that was started from it, this process among them.
 *
 * @param words of its command line and, on Linux, of its environment
 */
function works(words: readonly string[], folder: string): boolean {
  const isInside = (path: string): boolean => `${path}/`.startsWith(`${folder}/`);
  return words.some(
    (word, index) =>
      (WRITES_TO.has(words[index - 1]) && isInside(word)) ||
      WORKS_IN.some((name) => word.startsWith(name) && isInside(word.slice(name.length))),
  );
}

async function describedProcesses(): Promise<readonly (readonly [pid: number, words: readonly string[]])[]> {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => [
      Number(pid),
      `${read(`/proc/${pid}/cmdline`)}${read(`/proc/${pid}/environ`)}`.split('\0'),
    ]);
  }
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'args=']);
  return stdout.split('\n').map((line) => [Number.parseInt(line, 10), line.trim().split(/\s+/)]);
}

/** @returns nothing if the process has ended, or belongs to another user */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
