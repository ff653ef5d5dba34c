import { hash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Kinds of faults, each with its probability per opportunity. */
export type Probabilities = Readonly<Record<string, number>>;

export interface FaultDecision {
  /** `undefined`: no fault. */
  readonly kind: string | undefined;
  /** Milliseconds. */
  readonly latency: number;
}

export interface InjectedFault {
  readonly id: string;
  readonly time: number;
  readonly kind: string;
  readonly site: string;
}

/**
 * Decides which faults are injected, and when. Each has an id by which it can be kept or left out, as secret events
 * have.
 */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly injected: InjectedFault[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keep: ReadonlySet<string> | undefined;
  /** The latest outage of each service, or its absence. */
  readonly #outages = new Map<string, { readonly hour: number; readonly minutes: number }>();
  #minute = 0;
  readonly #visits = new Map<string, number>();

  /** @param keep ids of the faults that may be injected; all if omitted */
  constructor(clock: Clock, random: Random, keep?: ReadonlySet<string>) {
    this.#clock = clock;
    this.#random = random;
    this.#keep = keep;
  }

  /**
   * Decides whether a fault is injected here and now. The site names the operation and its secret, so that leaving out
   * other secrets and faults does not change the decision.
   */
  decide(site: string, probabilities: Probabilities): FaultDecision {
    const name = `${site}|${this.#visit(site)}`;
    const number = this.#random.number(name);
    const latency = 5 + ((number * 1_000_000) % 1) * 75;
    let left = number;
    for (const [kind, probability] of Object.entries(probabilities)) {
      left -= probability;
      if (left < 0) {
        return { kind: this.#inject(kind, name) ? kind : undefined, latency };
      }
    }
    return { kind: undefined, latency };
  }

  /** Counts a consequence of other faults, such as events out of order. */
  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** Whether a service has an outage: rare, for part of an hour, during which all calls fail. */
  outage(operation: string): boolean {
    const hour = Math.floor(this.#clock.now / HOUR);
    const known = this.#outages.get(operation);
    const { minutes } = known?.hour === hour ? known : { minutes: this.#outageMinutes(operation, hour) };
    this.#outages.set(operation, { hour, minutes });
    return this.#clock.now % HOUR < minutes * MINUTE;
  }

  #outageMinutes(operation: string, hour: number): number {
    return this.#random.chance(`outage|${operation}|${hour}`, 1 / 500)
      ? this.#random.integer(`outage lasts|${operation}|${hour}`, 5, 60)
      : 0;
  }

  #inject(kind: string, name: string): boolean {
    const id = hash('sha256', name).slice(0, 8);
    if (this.#keep !== undefined && !this.#keep.has(id)) {
      return false;
    }
    this.count(kind);
    this.injected.push({ id, time: this.#clock.now, kind, site: name });
    return true;
  }

  /** Distinguishes opportunities at one site by the minute, and within it by their number. */
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
