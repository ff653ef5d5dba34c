import { iso } from './runtime/time.ts';
import type { Figures, Progress } from './shard.ts';
import type { Shrunk } from './shrink.ts';
import type { Simulation } from './simulate.ts';

/** So many violations are shown; the first ones tell most. */
const MOST_SHOWN = 10;

/** The figures of a simulation, for people. */
export function figuresText({ seed, secrets, days }: Simulation, figures: Figures, seconds: number): string {
  const { runs, events, scans, continuations, due, dumped, excused, calls, faults, lifeEvents, violations } = figures;
  const rate = Math.round(runs / (seconds / 60));
  const lines = [
    ['seed', String(seed)],
    ['secrets', `${secrets}, changed ${lifeEvents} times`],
    ['virtual time', `${days} days`],
    ['real time', `${seconds.toFixed(1)} s, ${number(rate)} runs a minute`],
    ['runs', number(runs)],
    ['scheduled times owed a dump', number(due)],
    ['  dumped', number(dumped)],
    ...listed(excused),
    ['events of secrets', number(events)],
    ['scans of all secrets', number(scans)],
    ['  gone on in another invocation', number(continuations)],
    ['calls', number(total(calls))],
    ...listed(calls),
    ['faults', number(total(faults))],
    ...listed(faults),
    ['violations', number(violations.length)],
  ];
  const shown = violations
    .slice(0, MOST_SHOWN)
    .map(({ rule, time, secret, what }) => `  ${iso(time)}  secret ${secret ?? '-'}, "${rule}": ${what}`);
  return [...lines.map(([name = '', value = '']) => `${name.padEnd(44)} ${value}`), ...shown, ''].join('\n');
}

/** How far a simulation is. */
export function progressText({ days: all }: Simulation, { days, runs, violations }: Progress): string {
  return `${Math.floor(days)} of ${all} days, ${number(runs)} runs, violations: ${number(violations)}`;
}

/** The shortest history of a violation, and the command that repeats it. */
export function historyText({ simulation, violation, history }: Shrunk): string {
  return [
    `The shortest history found that violates "${violation.rule}":`,
    ...history.map((line) => `  ${line}`),
    'To repeat it:',
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

function listed(counts: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => [`  ${name}`, number(count)]);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
