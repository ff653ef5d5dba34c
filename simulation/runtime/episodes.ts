import type { Clock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** Days on which nothing starts, or whatever starts fails: the probability per day that one begins, and its hours. */
const KINDS = [
  // The function that scans throws.
  ['scans broken', { probability: 1 / 60, hours: [12, 7 * 24] }],
  // Somebody has disabled the rules that invoke this function.
  ['scans disabled', { probability: 1 / 60, hours: [12, 5 * 24] }],
  // Somebody has disabled all rules.
  ['rules disabled', { probability: 1 / 90, hours: [6, 3 * 24] }],
  ['jobs failing', { probability: 1 / 60, hours: [12, 4 * 24] }],
] as const;

export type EpisodeKind = (typeof KINDS)[number][0];

/** Faults that last for hours or days. */
export class Episodes {
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #past: { readonly kind: EpisodeKind; readonly from: number; readonly to: number }[] = [];

  constructor(clock: Clock, faults: Faults, random: Random) {
    this.#clock = clock;
    this.#faults = faults;
    this.#random = random;
  }

  /** Schedules the episodes of a period: each day one of each kind may begin, at a random time. */
  schedule({ from, to }: { readonly from: number; readonly to: number }): void {
    for (let day = from; day < to; day += DAY) {
      for (const [
        kind,
        {
          probability,
          hours: [least, most],
        },
      ] of KINDS) {
        if (this.#random.chance(`${kind}|${day}`, probability)) {
          const duration = this.#random.integer(`${kind} lasts|${day}`, least, most) * HOUR;
          this.#clock.at(day + this.#random.integer(`${kind} begins|${day}`, 0, DAY - 1), () => {
            this.#maybeBegin(kind, duration);
          });
        }
      }
    }
  }

  isOn(kind: EpisodeKind): boolean {
    return this.wasOn(this.#clock.now, this.#clock.now, kind);
  }

  /** Whether there was an episode of one of these kinds at any time from one instant to another. */
  wasOn(from: number, to: number, ...kinds: readonly EpisodeKind[]): boolean {
    return this.#past.some((one) => kinds.includes(one.kind) && one.from <= to && one.to > from);
  }

  /** It may have been left out of the history. */
  #maybeBegin(kind: EpisodeKind, duration: number): void {
    if (this.#faults.decide(kind, { [kind]: 1 }).kind !== undefined) {
      this.#past.push({ kind, from: this.#clock.now, to: this.#clock.now + duration });
    }
  }
}
