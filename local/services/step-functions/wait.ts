import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { WaitState } from '../../assembly/state-machine.ts';

/** The longest delay of a Node.js timer. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface Waiting {
  /** Resolves at the end of the wait. */
  readonly over: Promise<void>;
  /** Ends the wait early. */
  readonly finish: () => void;
}

/** Waits until a time, or until `stopping` is aborted. */
export function waiting(until: Date, stopping: AbortSignal): Waiting {
  const early = new AbortController();
  return {
    over: sleep(until, AbortSignal.any([stopping, early.signal])),
    finish: () => {
      early.abort();
    },
  };
}

async function sleep(until: Date, stopping: AbortSignal): Promise<void> {
  const left = (): number => until.getTime() - Date.now();
  while (left() > 0 && !stopping.aborted) {
    // The timer only rejects when the signal is aborted.
    await setTimeout(Math.min(left(), LONGEST_TIMER_MS), undefined, { signal: stopping }).catch(() => undefined);
  }
}

/**
 * When a Wait state ends. Supports paths of plain names only, such as `$.run.when`.
 *
 * @throws {Error} if the path is not supported, or the value at the path is invalid
 */
export function waitUntil(state: WaitState, input: unknown, now: Date): Date {
  const { Seconds, SecondsPath, Timestamp, TimestampPath } = state;
  const seconds = Seconds ?? (SecondsPath === undefined ? undefined : z.number().parse(at(SecondsPath, input)));
  if (seconds !== undefined) {
    return new Date(now.getTime() + seconds * 1000);
  }
  return new Date(Timestamp ?? z.iso.datetime({ offset: true }).parse(at(TimestampPath ?? '$', input)));
}

function at(jsonPath: string, input: unknown): unknown {
  if (!/^\$(\.\w+)*$/.test(jsonPath)) {
    throw new Error(`The local run does not support the path ${jsonPath} in a Wait state.`);
  }
  return jsonPath
    .split('.')
    .slice(1)
    .reduce((value, name) => z.record(z.string(), z.unknown()).parse(value)[name], input);
}
