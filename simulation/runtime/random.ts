import { hash } from 'node:crypto';

/** Random numbers by name: the same seed and name always give the same number, whatever else is drawn or left out. */
export class Random {
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A number from 0 (inclusive) to 1 (exclusive). */
  number(name: string): number {
    return Number.parseInt(hash('sha256', `${this.#seed}|${name}`).slice(0, 12), 16) / 0x1_0000_0000_0000;
  }

  chance(name: string, probability: number): boolean {
    return this.number(name) < probability;
  }

  /** A whole number from `min` to `max`, inclusive. */
  integer(name: string, min: number, max: number): number {
    return min + Math.floor(this.number(name) * (max - min + 1));
  }

  one<T>(name: string, choices: readonly T[]): T {
    const choice = choices[Math.floor(this.number(name) * choices.length)];
    if (choice === undefined) {
      throw new Error(`No choices to draw from for ${name}.`);
    }
    return choice;
  }

  /** One of the choices, each with a probability proportional to its weight. */
  weighted<T>(name: string, choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.number(name) * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) {
        return choice;
      }
    }
    return this.one(
      name,
      choices.map(([, choice]) => choice),
    );
  }
}
