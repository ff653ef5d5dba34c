import type { Invocation, Result } from './function.ts';

/** A whole scan, however many invocations it went on in. */
export interface Scan {
  readonly started: number;
  readonly ended: number;
  /** The world kept it from reaching all secrets. */
  readonly cut: boolean;
  /** ARNs that the world kept it from starting or describing. */
  readonly prevented: ReadonlySet<string>;
}

/** The scans of a world, put together from invocations that went on in others. */
export class Scans {
  readonly all: Scan[] = [];
  /** What came before, by the event that tells to go on. */
  readonly #before = new WeakMap<object, Pick<Scan, 'started' | 'prevented'>>();
  readonly #wentOn = new WeakSet<Invocation>();

  /** An invocation sends an event that tells to go on. */
  wentOn(invocation: Invocation, event: object): void {
    this.#wentOn.add(invocation);
    this.#before.set(event, this.#soFar(invocation));
  }

  /** @returns the scan that the invocation was the last of, if it was */
  ended(invocation: Invocation, result: Result, now: number): Scan | undefined {
    if (result.kind === 'returned' && this.#wentOn.has(invocation)) return undefined;
    const failed = [...invocation.calls.values()].filter((call) => call.failed);
    const cut = invocation.killed || failed.some(({ operation }) => ['ListSecrets', 'Invoke'].includes(operation));
    const scan = { ...this.#soFar(invocation), ended: now, cut };
    this.all.push(scan);
    return scan;
  }

  #soFar({ event, started, calls }: Invocation): Pick<Scan, 'started' | 'prevented'> {
    const before = typeof event === 'object' && event !== null ? this.#before.get(event) : undefined;
    const failed = [...calls.values()].filter((call) => call.failed).map(({ subject }) => subject);
    return { started: before?.started ?? started, prevented: new Set([...(before?.prevented ?? []), ...failed]) };
  }
}
