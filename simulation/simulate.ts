import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import pMap from 'p-map';
import type { Figures, Progress, Shard, Told } from './shard.ts';

const DAY = 24 * 60 * 60_000;

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
 * Simulates all secrets, in as many threads as there are cores.
 *
 * @param progressed is told again and again how far all worlds together are, their days being those of all
 */
export async function simulate(
  simulation: Simulation,
  progressed: (progress: Progress) => void = () => undefined,
): Promise<Figures> {
  const shards = shardsOf(simulation);
  const all = shards.map((): Progress => ({ days: 0, runs: 0, violations: 0 }));
  const seen = await pMap(
    shards,
    (shard, index) =>
      runShard(shard, (progress) => {
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

/** Runs one world in a thread of its own. */
export function runShard(shard: Shard, progressed: (progress: Progress) => void = () => undefined): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('shard.ts', import.meta.url), { workerData: shard });
    worker.on('message', (told: Told) => {
      if (told.kind === 'figures') resolve(told.figures);
      else progressed(told.progress);
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      reject(new Error('A world ended without a word.'));
    });
  });
}

function total(all: readonly Progress[], of: (progress: Progress) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function sum(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
