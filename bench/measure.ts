import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Processes } from '../local/host/processes.ts';

/** The resources that a program and its children used. */
export interface Measurement {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Peak resident memory of the program without its children, in bytes. */
  readonly memory: number;
  /** Peak sum including its children, in bytes. Shared pages are counted once per process. */
  readonly memoryWithChildren: number;
  /** The most that its temporary files occupied, in bytes. */
  readonly disk: number;
}

const SAMPLE_MS = 50;
const KIB = 1024;

/** Unit of `st_blocks`. */
const BLOCK = 512;

/** Clock ticks per second in /proc, the same on every Linux. */
const TICKS = 100;

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // The process has exited.
  }
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0) * KIB;
}

/** Children that any thread of a process started, and theirs. */
function descendants(pid: number): readonly number[] {
  return tasksOf(pid)
    .flatMap((task) => readProc(pid, `task/${task}/children`).split(' '))
    .filter((child) => child !== '')
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // The process has exited.
  }
}

/** Bytes that the files of a folder occupy. */
function occupied(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => lstatSync(join(folder, name)))
      .reduce((sum, file) => sum + (file.isFile() ? file.blocks * BLOCK : 0), 0);
  } catch {
    return 0; // Something was removed meanwhile.
  }
}

/** Processor time of a process and all its descendants, running or exited, in seconds. */
export function cpuSecondsOfAll(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, one) => sum + cpuSecondsOf(one), 0);
}

/** Processor time of a process and its exited children, in seconds. */
function cpuSecondsOf(pid: number): number {
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = readProc(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return (user + system + childrenUser + childrenSystem) / TICKS;
}

/**
 * Runs a program and measures it, including the children that it waits for.
 *
 * @param scratch folder for its temporary files only
 * @throws {Error} with its standard error if it fails
 */
export async function measure(
  program: string,
  args: readonly string[],
  {
    env,
    scratch,
    processes,
  }: { readonly env: NodeJS.ProcessEnv; readonly scratch: string; readonly processes: Processes },
): Promise<Measurement> {
  const started = performance.now();
  // The shell prints the processor time of its child with all descendants.
  const script = '"$@" >/dev/null; status=$?; times; exit $status';
  const { child: shell, ended } = processes.start('sh', ['-c', script, 'sh', program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid = 0, stdout, stderr } = shell;
  let [memory, memoryWithChildren, disk] = [0, 0, 0];
  const sampling = setInterval(() => {
    const [main = 0, ...others] = descendants(pid);
    memory = Math.max(memory, memoryOf(main, 'VmHWM'));
    memoryWithChildren = Math.max(
      memoryWithChildren,
      [main, ...others].reduce((sum, one) => sum + memoryOf(one, 'VmRSS'), 0),
    );
    disk = Math.max(disk, occupied(scratch));
  }, SAMPLE_MS);
  const [times, errors, end] = await Promise.all([stdout && text(stdout), stderr && text(stderr), ended]);
  clearInterval(sampling);
  if (end.kind !== 'exit' || end.status !== 0) {
    const how = end.kind === 'not started' ? end.error.message : `exit status ${end.status}`;
    throw new Error(`${program} ${args.join(' ')} failed: ${how}: ${errors?.trim() ?? ''}`);
  }
  const cpuSeconds = [...(times?.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
  return { seconds: (performance.now() - started) / 1000, cpuSeconds, memory, memoryWithChildren, disk };
}
