import type { Invocation, Result } from '../services/lambda/invocation.ts';

/** A scan of all secrets, with all invocations in which it was continued. */
export interface Scan {
  readonly started: number;
  readonly ended: number;
  /** Faults prevented it from reaching all secrets. */
  readonly cut: boolean;
  /** ARNs of the secrets that faults prevented it from describing or starting. */
  readonly prevented: ReadonlySet<string>;
  /** Whether a call failed for good in any of its invocations. */
  readonly failed: boolean;
}

type PartialScan = Pick<Scan, 'started' | 'prevented' | 'failed'>;

/** Faults that last for hours or days. */
export interface ScanOutages {
  /** Whether the rules that start scans were disabled at any time from one instant to another. */
  wereDisabled(from: number, to: number): boolean;
  /** Whether the function that scans threw. */
  wereBroken(from: number, to: number): boolean;
}

/** The scans of a world, assembled from the invocations in which they were continued. */
export class Scans {
  /** In the order of their ends. */
  readonly ended: Scan[] = [];
  /** When scans began, in order, whether or not they ended well. */
  readonly #begun: number[] = [];
  /** The previous invocation, by the event that it sent to be continued. */
  readonly #previous = new WeakMap<object, Invocation>();
  readonly #continued = new WeakSet<Invocation>();
  readonly #outages: ScanOutages;

  constructor(outages: ScanOutages) {
    this.#outages = outages;
  }

  /** An invocation or a retry of one begins; it begins a scan unless it continues one. */
  begin(event: unknown, now: number): void {
    if (this.#previousInvocation(event) === undefined) {
      this.#begun.push(now);
    }
  }

  /** Whether a scan began between two instants, or somebody prevented that. */
  hasBegun(from: number, to: number): boolean {
    const last = this.#begun.findLast((time) => time <= to);
    return (last !== undefined && last >= from) || this.#outages.wereDisabled(from, to);
  }

  /** Whether scans could not begin, or not end well, at any time from one instant to another. */
  wereOff(from: number, to: number): boolean {
    return this.#outages.wereDisabled(from, to) || this.#outages.wereBroken(from, to);
  }

  /** An invocation sends an event to be continued. */
  continue(invocation: Invocation, event: object): void {
    this.#continued.add(invocation);
    this.#previous.set(event, invocation);
  }

  isContinued(invocation: Invocation): boolean {
    return this.#continued.has(invocation);
  }

  /** @returns the scan if this was its last invocation */
  end(invocation: Invocation, result: Result, now: number): Scan | undefined {
    if (result.kind === 'returned' && this.isContinued(invocation)) {
      return undefined;
    }
    const failed = failedCalls(invocation);
    const cut = invocation.killed || failed.some(({ operation }) => ['ListSecrets', 'Invoke'].includes(operation));
    const scan = { ...this.#upTo(invocation), ended: now, cut };
    this.ended.push(scan);
    return scan;
  }

  #upTo(invocation: Invocation): PartialScan {
    const previous = this.#previousInvocation(invocation.event);
    const before = previous && this.#upTo(previous);
    const failed = failedCalls(invocation);
    return {
      started: before?.started ?? invocation.started,
      prevented: new Set([...(before?.prevented ?? []), ...failed.map(({ subject }) => subject)]),
      // An invocation that does not know whether another one continues for it fails itself.
      failed: before?.failed === true || failed.some(({ operation }) => operation !== 'Invoke'),
    };
  }

  #previousInvocation(event: unknown): Invocation | undefined {
    return typeof event === 'object' && event !== null ? this.#previous.get(event) : undefined;
  }
}

function failedCalls({ calls }: Invocation) {
  return [...calls.values()].filter(({ failed }) => failed);
}
