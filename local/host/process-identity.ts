import { readFileSync } from 'node:fs';
import { isRunning } from './processes.ts';

const IDENTITY = /^(\d+)(?:\.(\d+))?$/;

/**
 * When a process started, in clock ticks since the machine did, which no change of the clock affects. Undefined without
 * Linux's /proc, and if there is no such process.
 */
function startOf(pid: number): string | undefined {
  try {
    // The name of the program, in parentheses, may contain blanks and parentheses. Source: man 5 proc_pid_stat
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** What tells this process from one that has its ID later: the ID and, where that is known, when it started. */
export function ownIdentity(): string {
  const start = startOf(process.pid);
  return start === undefined ? `${process.pid}` : `${process.pid}.${start}`;
}

/** The ID of the process with this identity, if it is running. Undefined for any other text. */
export function runningProcess(identity: string): number | undefined {
  const [, id, start] = IDENTITY.exec(identity) ?? [];
  const pid = Number(id ?? 0);
  const isAnother = start !== undefined && (startOf(pid) ?? start) !== start;
  return pid > 0 && isRunning(pid) && !isAnother ? pid : undefined;
}
