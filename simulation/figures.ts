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
    runs: total(all, ({ runs }) => runs),
    events: total(all, ({ events }) => events),
    scans: total(all, ({ scans }) => scans),
    continuations: total(all, ({ continuations }) => continuations),
    checks: total(all, ({ checks }) => checks),
    reports: totals(all.map(({ reports }) => reports)),
    due: total(all, ({ due }) => due),
    started: total(all, ({ started }) => started),
    excused: totals(all.map(({ excused }) => excused)),
    dumped: total(all, ({ dumped }) => dumped),
    drilled: total(all, ({ drilled }) => drilled),
    overlapping: total(all, ({ overlapping }) => overlapping),
    calls: totals(all.map(({ calls }) => calls)),
    faults: totals(all.map(({ faults }) => faults)),
    secretEvents: total(all, ({ secretEvents }) => secretEvents),
    violations: all.flatMap(({ violations }) => violations).sort((a, b) => a.time - b.time),
    occurrences: all.flatMap(({ occurrences }) => occurrences),
    history: all.flatMap(({ history }) => history),
  };
}

export function mergeProgress(all: readonly Progress[]): Progress {
  return {
    days: total(all, ({ days }) => days) / all.length,
    runs: total(all, ({ runs }) => runs),
    violations: total(all, ({ violations }) => violations),
  };
}

function total<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function totals(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, count] of all.flatMap((one) => Object.entries(one))) {
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}
