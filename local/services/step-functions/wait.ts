import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { WaitState } from '../../assembly/state-machine.ts';

/** A timer can't run for longer. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface Waiting {
  readonly over: Promise<void>;
  /** Ends it early. */
  readonly finish: () => void;
}

/** Waits until a time, or the end of all. */
export function waiting(until: Date, ending: AbortSignal): Waiting {
  const early = new AbortController();
  return {
    over: sleep(until, AbortSignal.any([ending, early.signal])),
    finish: () => {
      early.abort();
    },
  };
}

async function sleep(until: Date, ending: AbortSignal): Promise<void> {
  const left = (): number => until.getTime() - Date.now();
  while (left() > 0 && !ending.aborted) {
    // Nothing but its end rejects a timer.
    await setTimeout(Math.min(left(), LONGEST_TIMER_MS), undefined, { signal: ending }).catch(() => undefined);
  }
}

/** When a wait is over. Paths are followed through plain names, as in `$.run.when`. */
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
    throw new Error(`The local run can't follow the path ${jsonPath} of a wait.`);
  }
  return jsonPath
    .split('.')
    .slice(1)
    .reduce((value, name) => z.record(z.string(), z.unknown()).parse(value)[name], input);
}
