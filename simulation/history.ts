import type { Violation } from './checker/violations.ts';
import type { InjectedFault } from './runtime/faults.ts';
import { iso } from './runtime/time.ts';
import type { Result } from './services/lambda/invocation.ts';
import type { Secret } from './workload/secret-history.ts';

/** The most characters of a function's result in a history. */
const LONGEST_RESULT = 400;

export interface HistoryEntry {
  readonly time: number;
  readonly text: string;
}

/**
 * Everything that happened in a world, in order: one line each, with the ids of secret events and faults in brackets.
 */
export function historyLines(
  secrets: readonly Secret[],
  faults: readonly InjectedFault[],
  actions: readonly HistoryEntry[],
  violations: readonly Violation[],
): readonly string[] {
  const changes = secrets.flatMap(({ index, events }) =>
    events.map(({ id, time, description }) => ({ time, text: `secret ${index} ${description} [${id}]` })),
  );
  const injected = faults.map(({ id, time, kind, site }) => ({ time, text: `${kind}: ${site} [${id}]` }));
  const found = violations.map((violation) => ({ time: violation.time, text: violationText(violation) }));
  const all = [...changes, ...injected, ...actions, ...found].sort((a, b) => a.time - b.time);
  // Of repeated lines only the first is shown.
  const shown = all.filter(({ text }, i) => text !== all[i - 1]?.text);
  return shown.map(({ time, text }) => `${iso(time)}  ${text}`);
}

export function violationText({ invariant, message }: Violation): string {
  return `VIOLATION of "${invariant}": ${message}`;
}

export function resultText(result: Result): string {
  return JSON.stringify(result).slice(0, LONGEST_RESULT);
}
