import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

/** What a program and its children took. */
export interface Measure {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Largest resident memory of the program alone, in bytes. */
  readonly memory: number;
  /** Largest sum of it with its children, pages that they share counted once for each. */
  readonly memoryOfAll: number;
}

const SAMPLE_MS = 50;
const KIB = 1024;

/** Clock ticks of a second in /proc, on every Linux. */
const TICKS = 100;

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // It is gone.
  }
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0) * KIB;
}

function descendants(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(/\) \S (\d+)/.exec(readProc(Number(name), 'stat'))?.[1])] as const);
  const below = (parent: number): readonly number[] =>
    parents.filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** Processor time of a process and all its children: of those that run, and of those that have ended. */
export function cpuSecondsOfAll(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, one) => sum + cpuSecondsOf(one), 0);
}

/** Processor time of a process and of those of its children that have ended. */
export function cpuSecondsOf(pid: number): number {
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = readProc(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return (user + system + childrenUser + childrenSystem) / TICKS;
}

/**
 * Runs a program and measures it, its children included as far as it waits for them.
 *
 * @throws {Error} with its last words if it ends badly
 */
export async function measure(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Measure> {
  const started = performance.now();
  // The shell tells what its child, with all of its own, has taken.
  const shell = spawn('sh', ['-c', '"$@" >/dev/null; status=$?; times; exit $status', 'sh', program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid = 0, stdout, stderr } = shell;
  let [memory, memoryOfAll] = [0, 0];
  const sampling = setInterval(() => {
    const [main = 0, ...others] = descendants(pid);
    memory = Math.max(memory, memoryOf(main, 'VmHWM'));
    memoryOfAll = Math.max(
      memoryOfAll,
      [main, ...others].reduce((sum, one) => sum + memoryOf(one, 'VmRSS'), 0),
    );
  }, SAMPLE_MS);
  const [times, words] = await Promise.all([text(stdout), text(stderr), once(shell, 'close')]);
  clearInterval(sampling);
  if (shell.exitCode !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${shell.exitCode}: ${words.trim()}`);
  }
  const cpuSeconds = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
  return { seconds: (performance.now() - started) / 1000, cpuSeconds, memory, memoryOfAll };
}
