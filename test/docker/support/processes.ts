import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Running } from './stage.ts';

const execute = promisify(execFile);

/** A process of this machine, as `ps` shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

export async function processes(): Promise<readonly ProcessInfo[]> {
  const { stdout } = await execute('ps', ['-A', '-ww', '-o', 'pid=', '-o', 'ppid=', '-o', 'args='], {
    maxBuffer: 2 ** 26,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [, pid = '', parent = '', args = ''] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), args };
    });
}

/** The child process that a running dump program has started. */
export async function pgDumpOf({ process: { pid } }: Running): Promise<ProcessInfo> {
  const found = (await processes()).find(({ parent }) => parent === pid);
  if (found === undefined) {
    throw new Error('The dump program has no child.');
  }
  return found;
}
