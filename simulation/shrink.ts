import type { Violation } from './checker/violations.ts';
import type { Occurrence } from './figures.ts';
import { violationText } from './history.ts';
import type { Shard } from './shard.ts';
import { shardsOf, type Simulation, START } from './simulate.ts';
import type { WorldProcesses } from './world-process.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** How many violations to try in search of one that a single secret reproduces. */
const MOST_CANDIDATES = 8;

/** More attempts take too long. */
const MOST_ATTEMPTS = 120;

/** The shortest history found that still violates the same invariant. */
export interface ShrinkResult {
  readonly simulation: Simulation;
  readonly violation: Violation;
  readonly history: readonly string[];
}

/**
 * Leaves out whatever a violation does not need: the days after it, the other secrets, then secret events and faults,
 * half of them at a time, then fewer, down to single ones. It prefers the first violation that one secret reproduces.
 *
 * @param violations at least one, the earliest first
 * @param onAttempt called before each attempt with the number of those before it
 */
export async function shrink(
  simulation: Simulation,
  violations: readonly Violation[],
  worlds: WorldProcesses,
  onAttempt: (attempts: number) => void = () => undefined,
): Promise<ShrinkResult> {
  const earliest = violations.slice(0, MOST_CANDIDATES);
  for (const violation of earliest) {
    const search = new Search(simulation, violation, worlds, onAttempt);
    if (await search.reduceToOneSecret()) {
      return await search.finish();
    }
  }
  const [first] = earliest;
  if (first === undefined) {
    throw new Error('There is no violation to shrink.');
  }
  const search = new Search(simulation, first, worlds, onAttempt);
  await search.reduceSecrets();
  return await search.finish();
}

class Search {
  #best: Simulation;
  #violation: Violation;
  #occurrences: readonly Occurrence[] = [];
  /** The shard that reproduces the violation. */
  #shard: Shard | undefined;
  readonly #worlds: WorldProcesses;
  readonly #onAttempt: (attempts: number) => void;
  #attempts = 0;

  constructor(
    simulation: Simulation,
    violation: Violation,
    worlds: WorldProcesses,
    onAttempt: (attempts: number) => void,
  ) {
    this.#best = simulation;
    this.#violation = violation;
    this.#worlds = worlds;
    this.#onAttempt = onAttempt;
  }

  async reduceToOneSecret(): Promise<boolean> {
    const { secret } = this.#violation;
    return secret !== undefined && (await this.#attempt({ ...this.#best, days: this.#days(), only: [secret] }));
  }

  async reduceSecrets(): Promise<void> {
    const all = this.#best.only ?? Array.from({ length: this.#best.secrets }, (_, i) => i);
    await this.#attempt({ ...this.#best, days: this.#days() });
    await this.#minimize(all, (only) => ({ ...this.#best, only }));
  }

  /** Leaves out secret events and faults. */
  async finish(): Promise<ShrinkResult> {
    await this.#reduceOccurrences();
    return { simulation: this.#best, violation: this.#violation, history: await this.#history() };
  }

  /** The history up to the violation. */
  async #history(): Promise<readonly string[]> {
    if (this.#shard === undefined) {
      return [];
    }
    const { history } = await this.#worlds.run({ ...this.#shard, recordHistory: true });
    const text = violationText(this.#violation);
    return history.slice(0, history.findIndex((line) => line.includes(text)) + 1);
  }

  /** Whatever happens after the violation does not matter. */
  #days(): number {
    return Math.min(this.#best.days, Math.ceil((this.#violation.time - START) / DAY) + 1);
  }

  async #reduceOccurrences(): Promise<void> {
    const all = this.#occurrences;
    // Usually the faults that matter happened a short time before.
    for (const window of [0, HOUR, DAY, Infinity]) {
      const since = this.#violation.time - window;
      const keep = all.filter(({ kind, time }) => kind === 'secret event' || time >= since).map(({ id }) => id);
      if (await this.#attempt({ ...this.#best, keep })) {
        await this.#minimize(keep, (kept) => ({ ...this.#best, keep: kept }));
        return;
      }
    }
  }

  /** Leaves out smaller and smaller parts, as long as the violation remains. */
  async #minimize<T>(all: readonly T[], without: (kept: readonly T[]) => Simulation): Promise<void> {
    let kept = all;
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < kept.length && this.#attempts < MOST_ATTEMPTS;) {
        const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
        if (await this.#attempt(without(fewer))) {
          kept = fewer;
        } else {
          start += size;
        }
      }
    }
  }

  /** Keeps the simulation as the best one if it reproduces the violation. @returns whether it does */
  async #attempt(simulation: Simulation): Promise<boolean> {
    this.#onAttempt(this.#attempts);
    this.#attempts += 1;
    const { invariant, secret } = this.#violation;
    const shards = shardsOf({ ...simulation, until: { invariant, secret } });
    // Worlds do not influence each other.
    const relevant = shards.filter(({ secrets }) => secret === undefined || secrets.includes(secret));
    for (const shard of relevant) {
      const { violations, occurrences } = await this.#worlds.run(shard);
      const violation = violations.find((one) => one.invariant === invariant && one.secret === secret);
      if (violation !== undefined) {
        this.#best = simulation;
        this.#violation = violation;
        this.#shard = shard;
        this.#occurrences = occurrences;
        return true;
      }
    }
    return false;
  }
}
