import type { Figures } from './shard.ts';
import { runShard, shardsOf, type Simulation } from './simulate.ts';
import type { Violation } from './rules.ts';

const DAY = 24 * 60 * 60_000;

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
 * them at a time, then fewer, down to each one.
 *
 * @param violation the one that is earliest
 */
export async function shrink(simulation: Simulation, violation: Violation): Promise<Shrunk> {
  const search = new Search(simulation, violation);
  await search.shorten();
  await search.leaveOutSecrets();
  await search.leaveOutEvents();
  return await search.told();
}

class Search {
  #best: Simulation;
  #violation: Violation;
  #happened: readonly string[] = [];
  #tries = 0;

  constructor(simulation: Simulation, violation: Violation) {
    this.#best = simulation;
    this.#violation = violation;
  }

  /** Nothing after the violation matters. */
  async shorten(): Promise<void> {
    const start = shardsOf(this.#best)[0]?.span.from ?? 0;
    const days = Math.min(this.#best.days, Math.ceil((this.#violation.time - start) / DAY) + 1);
    await this.#try({ ...this.#best, days });
  }

  async leaveOutSecrets(): Promise<void> {
    const { secret } = this.#violation;
    if (secret !== undefined && (await this.#try({ ...this.#best, only: [secret] }))) return;
    await this.#minimize(this.#best.only ?? Array.from({ length: this.#best.secrets }, (_, i) => i), (only) => ({
      ...this.#best,
      only,
    }));
  }

  async leaveOutEvents(): Promise<void> {
    if (!(await this.#try({ ...this.#best, keep: this.#happened }))) return;
    await this.#minimize(this.#happened, (keep) => ({ ...this.#best, keep }));
  }

  async told(): Promise<Shrunk> {
    const [shard] = shardsOf(this.#best, true).filter(({ secrets }) => this.#concerns(secrets));
    const { history } = shard === undefined ? { history: [] } : await runShard(shard);
    return { simulation: this.#best, violation: this.#violation, history };
  }

  /** Leaves out parts, and smaller and smaller ones, as long as the violation stays. */
  async #minimize<T>(all: readonly T[], without: (kept: readonly T[]) => Simulation): Promise<void> {
    let kept = all;
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < kept.length && this.#tries < MOST_TRIES;) {
        const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
        if (await this.#try(without(fewer))) kept = fewer;
        else start += size;
      }
    }
  }

  async #try(simulation: Simulation): Promise<boolean> {
    this.#tries += 1;
    const shards = shardsOf(simulation).filter(({ secrets }) => this.#concerns(secrets));
    const seen: Figures[] = [];
    for (const shard of shards) seen.push(await runShard(shard));
    const violation = seen
      .flatMap(({ violations }) => violations)
      .find(({ rule, secret }) => rule === this.#violation.rule && secret === this.#violation.secret);
    if (violation === undefined) return false;
    this.#best = simulation;
    this.#violation = violation;
    this.#happened = seen.flatMap(({ happened }) => happened);
    return true;
  }

  /** Worlds know nothing of each other. */
  #concerns(secrets: readonly number[]): boolean {
    return this.#violation.secret === undefined || secrets.includes(this.#violation.secret);
  }
}
