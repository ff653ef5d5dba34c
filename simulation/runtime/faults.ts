import { hash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Draw } from './random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What may go wrong, with how likely it is each time that it could. */
export type Chances = Readonly<Record<string, number>>;

export interface Struck {
  /** `undefined`: all goes well. */
  readonly kind: string | undefined;
  readonly latency: number;
}

/** What goes wrong, and when. Each fault has an id by which it can be kept or left out, as life events of secrets have. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly struck: { readonly id: string; readonly time: number; readonly kind: string; readonly site: string }[] = [];
  readonly #clock: Clock;
  readonly #draw: Draw;
  readonly #keep: ReadonlySet<string> | undefined;
  #minute = 0;
  readonly #visits = new Map<string, number>();

  /** @param keep ids of the faults that may strike; all if left out */
  constructor(clock: Clock, draw: Draw, keep?: ReadonlySet<string>) {
    this.#clock = clock;
    this.#draw = draw;
    this.#keep = keep;
  }

  /**
   * Whether something goes wrong here and now. The site says what is done, to which secret, so that leaving out other
   * secrets and faults changes nothing about this one.
   */
  at(site: string, chances: Chances): Struck {
    const name = `${site}|${this.#visit(site)}`;
    const number = this.#draw.number(name);
    const latency = 5 + ((number * 1_000_000) % 1) * 75;
    let left = number;
    for (const [kind, chance] of Object.entries(chances)) {
      left -= chance;
      if (left < 0) {
        return { kind: this.#strike(kind, name) ? kind : undefined, latency };
      }
    }
    return { kind: undefined, latency };
  }

  /** Counts what comes of other faults, such as the wrong order of events. */
  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** Whether a service is having a bad time: rare, for a part of an hour, and then all calls fail. */
  outage(operation: string): boolean {
    const hour = Math.floor(this.#clock.now / HOUR);
    if (!this.#draw.chance(`outage|${operation}|${hour}`, 1 / 500)) {
      return false;
    }
    return this.#clock.now % HOUR < this.#draw.integer(`outage lasts|${operation}|${hour}`, 5, 60) * MINUTE;
  }

  #strike(kind: string, name: string): boolean {
    const id = hash('sha256', name).slice(0, 8);
    if (this.#keep !== undefined && !this.#keep.has(id)) {
      return false;
    }
    this.count(kind);
    this.struck.push({ id, time: this.#clock.now, kind, site: name });
    return true;
  }

  /** Sites are told apart by the minute, and within it by how often they were come by. */
  #visit(site: string): string {
    const minute = Math.floor(this.#clock.now / MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#visits.clear();
    }
    const visit = this.#visits.get(site) ?? 0;
    this.#visits.set(site, visit + 1);
    return `${minute}.${visit}`;
  }
}
