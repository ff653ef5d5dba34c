import { type Figures, type Progress, total } from './figures.ts';
import { iso } from './runtime/time.ts';
import type { ShrinkResult } from './shrink.ts';
import type { Simulation } from './simulate.ts';

/** The earliest violations are the most telling. */
const MOST_SHOWN = 10;

/** Formats the figures of a simulation. */
export function figuresText({ seed, secrets, days }: Simulation, figures: Figures, seconds: number): string {
  const {
    runs,
    events,
    scans,
    continuations,
    checks,
    reports,
    due,
    started,
    excused,
    calls,
    faults,
    secretEvents,
    violations,
  } = figures;
  const rate = Math.round(runs / (seconds / 60));
  const lines = [
    ['seed', String(seed)],
    ['secrets', `${secrets}, changed ${secretEvents} times`],
    ['virtual time', `${days} days`],
    ['real time', `${seconds.toFixed(1)} s, ${number(rate)} runs a minute`],
    ['runs', number(runs)],
    ['dumps due', number(due)],
    ['  started', number(started)],
    ...rowsOf(excused),
    ['dumps made', number(figures.dumped)],
    ['  started while another one was being made', number(figures.overlapping)],
    ['drills done', number(figures.drilled)],
    ['events handled', number(events)],
    ['scans of all secrets', number(scans)],
    ['  continued in another invocation', number(continuations)],
    ['checks for missing dumps', number(checks)],
    ['reports', number(total(reports))],
    ...rowsOf(reports),
    ['calls', number(total(calls))],
    ...rowsOf(calls),
    ['faults', number(total(faults))],
    ...rowsOf(faults),
    ['violations', number(violations.length)],
  ];
  const shown = violations
    .slice(0, MOST_SHOWN)
    .map(
      ({ invariant, time, secret, message }) => `  ${iso(time)}  secret ${secret ?? '-'}, "${invariant}": ${message}`,
    );
  return [...lines.map(([name = '', value = '']) => `${name.padEnd(44)} ${value}`), ...shown, ''].join('\n');
}

/** Formats the progress of a simulation. */
export function progressText({ days: all }: Simulation, { days, runs, violations }: Progress): string {
  return `${Math.floor(days)} of ${all} days, ${number(runs)} runs, violations: ${number(violations)}`;
}

/** Formats the shortest history of a violation, with the command that reproduces it. */
export function historyText({ simulation, violation, history }: ShrinkResult): string {
  return [
    `The shortest history found that violates "${violation.invariant}":`,
    ...history.map((line) => `  ${line}`),
    'To reproduce it:',
    `  ${commandOf(simulation)}`,
    '',
  ].join('\n');
}

function commandOf({ secrets, days, seed, busy, only, keep }: Simulation): string {
  return [
    `npx -y pnpm@12 simulate --secrets ${secrets} --days ${days} --seed ${seed}`,
    ...(busy ? ['--busy'] : []),
    ...(only === undefined ? [] : [`--only ${only.join(',')}`]),
    ...(keep === undefined ? [] : [`--keep ${keep.length === 0 ? "''" : keep.join(',')}`]),
  ].join(' ');
}

function rowsOf(counts: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => [`  ${name}`, number(count)]);
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
