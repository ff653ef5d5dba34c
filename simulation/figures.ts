import type { Violation } from './checker/violations.ts';

/** A secret event or an injected fault, which can be left out of a history by its id. */
export interface Occurrence {
  readonly id: string;
  readonly time: number;
  readonly kind: 'secret event' | 'fault';
}

/** The figures of one world, or of several together. */
export interface Figures {
  readonly runs: number;
  /** Invocations of the Scanner for an event of one secret. */
  readonly events: number;
  /** Invocations of the Scanner for all secrets. */
  readonly scans: number;
  /** Invocations in which scans were continued. */
  readonly continuations: number;
  /** Invocations that looked for missing dumps. */
  readonly checks: number;
  /** What they reported, by kind. */
  readonly reports: Readonly<Record<string, number>>;
  /** Scheduled times that a dump was due for. */
  readonly due: number;
  /** Of those, the ones for which a job was submitted. */
  readonly started: number;
  /** Scheduled times without a dump that no stack could have made, by reason. */
  readonly excused: Readonly<Record<string, number>>;
  /** Dumps that were made. */
  readonly dumped: number;
  /** Drills that ended well. */
  readonly drilled: number;
  /** Dumps that were started while another one of the same database was being made. */
  readonly overlapping: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly secretEvents: number;
  /** The earliest first. */
  readonly violations: readonly Violation[];
  readonly occurrences: readonly Occurrence[];
  /** One line for everything that happened, if requested. */
  readonly history: readonly string[];
}

/** The progress of one world, or of several together. */
export interface Progress {
  /** Virtual days that have passed; of several worlds, their mean. */
  readonly days: number;
  readonly runs: number;
  readonly violations: number;
}

export function mergeFigures(all: readonly Figures[]): Figures {
  return {
    runs: sum(all, ({ runs }) => runs),
    events: sum(all, ({ events }) => events),
    scans: sum(all, ({ scans }) => scans),
    continuations: sum(all, ({ continuations }) => continuations),
    checks: sum(all, ({ checks }) => checks),
    reports: totals(all.map(({ reports }) => reports)),
    due: sum(all, ({ due }) => due),
    started: sum(all, ({ started }) => started),
    excused: totals(all.map(({ excused }) => excused)),
    dumped: sum(all, ({ dumped }) => dumped),
    drilled: sum(all, ({ drilled }) => drilled),
    overlapping: sum(all, ({ overlapping }) => overlapping),
    calls: totals(all.map(({ calls }) => calls)),
    faults: totals(all.map(({ faults }) => faults)),
    secretEvents: sum(all, ({ secretEvents }) => secretEvents),
    violations: all.flatMap(({ violations }) => violations).sort((a, b) => a.time - b.time),
    occurrences: all.flatMap(({ occurrences }) => occurrences),
    history: all.flatMap(({ history }) => history),
  };
}

export function mergeProgress(all: readonly Progress[]): Progress {
  return {
    days: sum(all, ({ days }) => days) / all.length,
    runs: sum(all, ({ runs }) => runs),
    violations: sum(all, ({ violations }) => violations),
  };
}

export function total(counts: Readonly<Record<string, number>>): number {
  return sum(Object.values(counts), (count) => count);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((result, one) => result + of(one), 0);
}

function totals(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, count] of all.flatMap((one) => Object.entries(one))) {
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}
