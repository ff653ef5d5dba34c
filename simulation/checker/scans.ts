import type { Invocation, Result } from '../services/lambda-function.ts';

/** A whole scan, however many invocations it went on in. */
export interface Scan {
  readonly started: number;
  readonly ended: number;
  /** The world kept it from reaching all secrets. */
  readonly cut: boolean;
  /** ARNs that the world kept it from starting or describing. */
  readonly prevented: ReadonlySet<string>;
  /** Whether a call of it failed for good, in whichever invocation. */
  readonly failed: boolean;
}

type SoFar = Pick<Scan, 'started' | 'prevented' | 'failed'>;

/** The scans of a world, put together from invocations that went on in others. */
export class Scans {
  /** In the order of their ends. */
  readonly all: Scan[] = [];
  /** When scans began, in order, whatever became of them. */
  readonly #begun: number[] = [];
  /** The invocation before, by the event that tells to go on. */
  readonly #before = new WeakMap<object, Invocation>();
  readonly #wentOn = new WeakSet<Invocation>();

  /** An invocation begins, for the first time or tried again; a scan does, unless it is one that goes on. */
  began(event: unknown, now: number): void {
    if (this.#invocationBefore(event) === undefined) {
      this.#begun.push(now);
    }
  }

  /** Whether a scan has begun from one instant to another. */
  hasBegun(from: number, to: number): boolean {
    const last = this.#begun.findLast((time) => time <= to);
    return last !== undefined && last >= from;
  }

  /** An invocation sends an event that tells to go on. */
  wentOn(invocation: Invocation, event: object): void {
    this.#wentOn.add(invocation);
    this.#before.set(event, invocation);
  }

  /** Whether the invocation leaves the end of its scan to another one. */
  goesOn(invocation: Invocation): boolean {
    return this.#wentOn.has(invocation);
  }

  /** @returns the scan that the invocation was the last of, if it was */
  ended(invocation: Invocation, result: Result, now: number): Scan | undefined {
    if (result.kind === 'returned' && this.goesOn(invocation)) {
      return undefined;
    }
    const failed = [...invocation.calls.values()].filter((call) => call.failed);
    const cut = invocation.killed || failed.some(({ operation }) => ['ListSecrets', 'Invoke'].includes(operation));
    const scan = { ...this.#soFar(invocation), ended: now, cut };
    this.all.push(scan);
    return scan;
  }

  #soFar({ event, started, calls }: Invocation): SoFar {
    const previous = this.#invocationBefore(event);
    const before = previous && this.#soFar(previous);
    const failed = [...calls.values()].filter((call) => call.failed);
    return {
      started: before?.started ?? started,
      prevented: new Set([...(before?.prevented ?? []), ...failed.map(({ subject }) => subject)]),
      // An invocation that could not be told whether another one goes on for it fails itself.
      failed: before?.failed === true || failed.some(({ operation }) => operation !== 'Invoke'),
    };
  }

  /** The invocation that the event goes on from, if it does. */
  #invocationBefore(event: unknown): Invocation | undefined {
    return typeof event === 'object' && event !== null ? this.#before.get(event) : undefined;
  }
}
