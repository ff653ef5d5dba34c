import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Processes } from '../../local/host/processes.ts';
import { type Progress, total } from '../../simulation/figures.ts';
import { simulate } from '../../simulation/simulate.ts';
import { WorldProcesses } from '../../simulation/world-process.ts';
import { expectNoViolation } from './support/expectations.ts';
import { useStack } from './support/stack.ts';

const FAULTS = [
  'throttled',
  'server error',
  'answer lost',
  'no answer',
  'slow answer',
  'crash before',
  'crash after',
  'event lost',
  'event duplicated',
  'event delayed',
  'events out of order',
  'periodic event duplicated',
  'listing behind',
  'invocation refused',
  'invocation failed',
  'invocation answer lost',
  'submit throttled',
  'submit answer lost',
  'job failed',
  'job timed out',
  'job reclaimed',
  'job overrun',
  'stopped by hand',
  'deployment',
];

const LONG_FAULTS = ['scans broken', 'scans disabled', 'rules disabled', 'jobs failing', 'all stopped by hand'];

const stack = useStack();

test('a simulation with every kind of fault violates no invariant', async () => {
  const simulation = { cdkOut: stack.cdkOut, secrets: 40, days: 1, seed: 944, busy: true };
  const figures = await simulate(simulation, stack.worlds);
  await expectNoViolation(simulation, figures, stack.worlds);
  expect(Object.keys(figures.faults)).toEqual(expect.arrayContaining(FAULTS));
  expect(figures.runs).toBeGreaterThan(1000);
  expect(total(figures.faults)).toBeGreaterThan(200);
  // A job that fails makes no dump, and one that overruns is overtaken by the next.
  expect(figures.runs - figures.dumped - figures.drilled).toBeGreaterThanOrEqual(figures.faults['job failed'] ?? NaN);
  expect(figures.overlapping).toBeGreaterThan(0);
  // Only what nothing could have prevented is excused, so excuses must be rare.
  expect(figures.started / figures.due).toBeGreaterThan(0.98);
});

test('days on which nothing starts violate no invariant, since what is missing is reported', async () => {
  const simulation = { cdkOut: stack.cdkOut, secrets: 8, only: [0, 2, 4, 6], days: 8, seed: 2311815, busy: false };
  const figures = await simulate(simulation, stack.worlds);
  await expectNoViolation(simulation, figures, stack.worlds);
  expect(Object.keys(figures.faults)).toEqual(expect.arrayContaining(LONG_FAULTS));
  expect(figures.reports).toMatchObject({ overdue: expect.any(Number), 'caught up': expect.any(Number) });
});

test('a simulation is the same for the same seed, and another one for another', async () => {
  const simulation = { cdkOut: stack.cdkOut, secrets: 10, only: [0, 2, 4], days: 1, seed: 1, busy: true };
  const [once, again, other] = [
    await simulate(simulation, stack.worlds),
    await simulate(simulation, stack.worlds),
    await simulate({ ...simulation, seed: 2 }, stack.worlds),
  ];
  expect(again).toEqual(once);
  expect(other.occurrences).not.toEqual(once.occurrences);
});

test('a simulation reports its progress', async () => {
  const reports: Progress[] = [];
  const simulation = { cdkOut: stack.cdkOut, secrets: 4, days: 2, seed: 1, busy: false };
  const { runs } = await simulate(simulation, stack.worlds, (progress) => {
    reports.push(progress);
  });
  const days = reports.map((progress) => progress.days);
  expect(days).toEqual([...days].sort((a, b) => a - b));
  expect(reports.at(-1)).toEqual({ days: 2, runs, violations: 0 });
});

describe('a simulation fails', () => {
  test('as soon as it is stopped', async () => {
    const stopped = new Processes();
    const simulation = { cdkOut: stack.cdkOut, secrets: 4, days: 400, seed: 1, busy: true };
    const simulated = simulate(simulation, new WorldProcesses(stopped), () => void stopped.stop());
    await expect(simulated).rejects.toThrow('The process of a world exited too early: status 143');
  });

  test('if its worlds fail', async () => {
    const simulation = { cdkOut: join(stack.cdkOut, 'missing'), secrets: 4, days: 1, seed: 1, busy: true };
    const simulated = simulate(simulation, stack.worlds);
    await expect(simulated).rejects.toThrow('The process of a world exited too early: status 1');
  });
});
