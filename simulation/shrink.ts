import type { Processes } from '../local/host/processes.ts';
import type { Violation } from './checker/invariants.ts';
import type { Happening } from './shard.ts';
import { runShard, shardsOf, type Simulation } from './simulate.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** So many violations are looked at for one that a single secret shows. */
const MOST_CANDIDATES = 8;

/** More tries are not worth the wait. */
const MOST_TRIES = 120;

/** The shortest history found that still shows a violation of the same rule. */
export interface Shrunk {
  readonly simulation: Simulation;
  readonly violation: Violation;
  readonly history: readonly string[];
}

/**
 * Leaves out what a violation does not need: the days after it, the other secrets, then life events and faults, half of
 * them at a time, then fewer, down to each one. Of several violations it takes the first that one secret is enough for.
 *
 * @param violations at least one
 * @param trying is told before each try how many came before it
 */
export async function shrink(
  simulation: Simulation,
  violations: readonly Violation[],
  processes: Processes,
  trying: (tries: number) => void = () => undefined,
): Promise<Shrunk> {
  const earliest = violations.toSorted((a, b) => a.time - b.time).slice(0, MOST_CANDIDATES);
  for (const violation of earliest) {
    const search = new Search(simulation, violation, processes, trying);
    if (await search.reduceToOneSecret()) {
      return await search.finish();
    }
  }
  const [first] = earliest;
  if (first === undefined) {
    throw new Error('There is no violation.');
  }
  const search = new Search(simulation, first, processes, trying);
  await search.reduceSecrets();
  return await search.finish();
}

class Search {
  #best: Simulation;
  #violation: Violation;
  #happened: readonly Happening[] = [];
  /** Seed of the world that shows it. */
  #world: string | undefined;
  readonly #processes: Processes;
  readonly #trying: (tries: number) => void;
  #tries = 0;

  constructor(simulation: Simulation, violation: Violation, processes: Processes, trying: (tries: number) => void) {
    this.#best = simulation;
    this.#violation = violation;
    this.#processes = processes;
    this.#trying = trying;
  }

  async reduceToOneSecret(): Promise<boolean> {
    const { secret } = this.#violation;
    return secret !== undefined && (await this.#try({ ...this.#best, days: this.#days(), only: [secret] }));
  }

  async reduceSecrets(): Promise<void> {
    const all = this.#best.only ?? Array.from({ length: this.#best.secrets }, (_, i) => i);
    await this.#try({ ...this.#best, days: this.#days() });
    await this.#minimize(all, (only) => ({ ...this.#best, only }));
  }

  /** Leaves out life events and faults. */
  async finish(): Promise<Shrunk> {
    await this.#leaveOutEvents();
    const shown = shardsOf(this.#best, true).find(({ seed }) => seed === this.#world);
    const { history } = shown === undefined ? { history: [] } : await runShard(shown, this.#processes);
    const end = history.findIndex((line) =>
      line.includes(`VIOLATION of "${this.#violation.rule}": ${this.#violation.what}`),
    );
    return { simulation: this.#best, violation: this.#violation, history: history.slice(0, end + 1) };
  }

  /** Nothing after the violation matters. */
  #days(): number {
    const start = shardsOf(this.#best)[0]?.span.from ?? 0;
    return Math.min(this.#best.days, Math.ceil((this.#violation.time - start) / DAY) + 1);
  }

  async #leaveOutEvents(): Promise<void> {
    const all = this.#happened;
    // Mostly what matters happened a short time before.
    for (const window of [0, HOUR, DAY, Infinity]) {
      const since = this.#violation.time - window;
      const keep = all.filter(({ kind, time }) => kind === 'life' || time >= since).map(({ id }) => id);
      if (!(await this.#try({ ...this.#best, keep }))) {
        continue;
      }
      await this.#minimize(keep, (kept) => ({ ...this.#best, keep: kept }));
      return;
    }
  }

  /** Leaves out parts, and smaller and smaller ones, as long as the violation stays. */
  async #minimize<T>(all: readonly T[], without: (kept: readonly T[]) => Simulation): Promise<void> {
    let kept = all;
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < kept.length && this.#tries < MOST_TRIES;) {
        const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
        if (await this.#try(without(fewer))) {
          kept = fewer;
        } else {
          start += size;
        }
      }
    }
  }

  async #try(simulation: Simulation): Promise<boolean> {
    this.#trying(this.#tries);
    this.#tries += 1;
    for (const shard of shardsOf(simulation).filter(({ secrets }) => this.#concerns(secrets))) {
      const { violations, happened } = await runShard(shard, this.#processes);
      const violation = violations.find(
        ({ rule, secret }) => rule === this.#violation.rule && secret === this.#violation.secret,
      );
      if (violation === undefined) {
        continue;
      }
      this.#best = simulation;
      this.#violation = violation;
      this.#world = shard.seed;
      this.#happened = happened;
      return true;
    }
    return false;
  }

  /** Worlds know nothing of each other. */
  #concerns(secrets: readonly number[]): boolean {
    return this.#violation.secret === undefined || secrets.includes(this.#violation.secret);
  }
}
