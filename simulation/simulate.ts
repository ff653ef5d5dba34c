import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import type { ViolationPattern } from './checker/violations.ts';
import { type Figures, mergeFigures, mergeProgress, type Progress } from './figures.ts';
import type { Shard } from './shard.ts';
import type { WorldProcesses } from './world-process.ts';

const DAY = 24 * 60 * 60_000;

/** Every simulation begins at this time. */
export const START = Date.parse('2026-01-01T00:00:00Z');

/** There are two worlds for every 500 secrets, on any machine, however many of them run at the same time. */
const SECRETS_IN_TWO_WORLDS = 500;

export interface Simulation {
  readonly cdkOut: string;
  readonly secrets: number;
  readonly days: number;
  readonly seed: number;
  /** Whether most schedules are hourly or more frequent, for many runs in little time. */
  readonly busy: boolean;
  /** Numbers of the secrets to simulate; all if omitted. */
  readonly only?: readonly number[];
  /** Ids of the secret events and faults to keep; all if omitted. */
  readonly keep?: readonly string[];
  /** Ends each world at its first violation that matches. */
  readonly until?: ViolationPattern;
}

/**
 * Simulates all secrets, in as many worlds at a time as there are cores.
 *
 * @param onProgress called repeatedly with the progress of all worlds together
 */
export async function simulate(
  simulation: Simulation,
  worlds: WorldProcesses,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Figures> {
  const shards = shardsOf(simulation);
  const progress = shards.map((): Progress => ({ days: 0, runs: 0, violations: 0 }));
  const figures = await pMap(
    shards,
    (shard, index) =>
      worlds.run(shard, (current) => {
        progress[index] = current;
        onProgress(mergeProgress(progress));
      }),
    { concurrency: availableParallelism() },
  );
  return mergeFigures(figures);
}

export function shardsOf({ cdkOut, secrets, days, seed, busy, only, keep, until }: Simulation): readonly Shard[] {
  const numbers = Array.from({ length: secrets }, (_, i) => i);
  const length = 2 * Math.ceil(secrets / SECRETS_IN_TWO_WORLDS);
  const shards = Array.from({ length }, (_, world) => ({
    cdkOut,
    seed: `${seed}.${world}`,
    secrets: numbers.filter((number) => number % length === world && (only === undefined || only.includes(number))),
    span: { from: START, to: START + days * DAY },
    busy,
    keep,
    until,
    recordHistory: false,
  }));
  return shards.filter((shard) => shard.secrets.length > 0);
}
