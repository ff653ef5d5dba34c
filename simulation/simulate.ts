import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import pMap from 'p-map';
import type { Processes } from '../local/host/processes.ts';
import type { Figures, Progress, Shard, Told } from './shard.ts';

const DAY = 24 * 60 * 60_000;

const SHARD = fileURLToPath(new URL('shard.ts', import.meta.url));

/** Every simulation begins here. */
const START = Date.parse('2026-01-01T00:00:00Z');

/** For each so many secrets there are two worlds, the same on any machine, however many of them run at once. */
const SECRETS_IN_TWO_WORLDS = 500;

export interface Simulation {
  readonly cdkOut: string;
  readonly secrets: number;
  readonly days: number;
  readonly seed: number;
  /** Whether most schedules are hourly or more often, for many runs in little time. */
  readonly busy: boolean;
  /** Numbers of the secrets that there are, of all. */
  readonly only?: readonly number[];
  /** Ids of the life events and faults that happen. */
  readonly keep?: readonly string[];
}

/**
 * Simulates all secrets, in as many processes at a time as there are cores.
 *
 * @param processes runs the worlds, and ends them when it is stopped
 * @param progressed is told again and again how far all worlds together are, their days being those of all
 */
export async function simulate(
  simulation: Simulation,
  processes: Processes,
  progressed: (progress: Progress) => void = () => undefined,
): Promise<Figures> {
  const shards = shardsOf(simulation);
  const all = shards.map((): Progress => ({ days: 0, runs: 0, violations: 0 }));
  const seen = await pMap(
    shards,
    (shard, index) =>
      runShard(shard, processes, (progress) => {
        all[index] = progress;
        progressed({
          days: total(all, ({ days }) => days) / shards.length,
          runs: total(all, ({ runs }) => runs),
          violations: total(all, ({ violations }) => violations),
        });
      }),
    { concurrency: availableParallelism() },
  );
  return seen.reduce((all, more) => ({
    runs: all.runs + more.runs,
    events: all.events + more.events,
    scans: all.scans + more.scans,
    continuations: all.continuations + more.continuations,
    due: all.due + more.due,
    dumped: all.dumped + more.dumped,
    excused: sum(all.excused, more.excused),
    calls: sum(all.calls, more.calls),
    faults: sum(all.faults, more.faults),
    lifeEvents: all.lifeEvents + more.lifeEvents,
    violations: [...all.violations, ...more.violations],
    happened: [...all.happened, ...more.happened],
    history: [...all.history, ...more.history],
  }));
}

export function shardsOf(
  { cdkOut, secrets, days, seed, busy, only, keep }: Simulation,
  tell = false,
): readonly Shard[] {
  const numbers = Array.from({ length: secrets }, (_, i) => i);
  const length = 2 * Math.ceil(secrets / SECRETS_IN_TWO_WORLDS);
  const worlds = Array.from({ length }, (_, world) => ({
    cdkOut,
    seed: `${seed}.${world}`,
    secrets: numbers.filter((number) => number % length === world && (only === undefined || only.includes(number))),
    span: { from: START, to: START + days * DAY },
    busy,
    keep,
    tell,
  }));
  return worlds.filter((shard) => shard.secrets.length > 0);
}

/**
 * Runs one world in a process of its own, not in a thread: V8 keeps the code between WebAssembly and JavaScript for all
 * threads of a process in common, and can end the process when several of them are busy with it at once, as they are with
 * Node's loading of TypeScript (`Check failed: jit_page.has_value()`; seen with Node 24.21).
 *
 * @throws {Error} if the process ends before its world does; what the world threw, if it did, stands on standard error
 */
export async function runShard(
  shard: Shard,
  processes: Processes,
  progressed: (progress: Progress) => void = () => undefined,
): Promise<Figures> {
  const { child, ended } = processes.start(process.execPath, [SHARD], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let figures: Figures | undefined;
  // Only shard.ts writes to this channel.
  child.on('message', (message) => {
    const told = message as Told;
    if (told.kind === 'figures') {
      figures = told.figures;
    } else {
      progressed(told.progress);
    }
  });
  child.once('spawn', () => {
    // If it can't be sent, how the process ended tells why.
    child.send(shard, () => undefined);
  });
  const how = await ended;
  if (figures !== undefined) {
    return figures;
  }
  const reason = how.kind === 'not started' ? how.error.message : `status ${how.status}`;
  throw new Error(`The process of a world ended too early: ${reason}`);
}

function total(all: readonly Progress[], of: (progress: Progress) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function sum(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
