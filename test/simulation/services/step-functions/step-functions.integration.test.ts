import { expect, test } from '@jest/globals';
import { Template } from '../../../../local/assembly/template.ts';
import { Clock } from '../../../../simulation/runtime/clock.ts';
import { Episodes } from '../../../../simulation/runtime/episodes.ts';
import { Faults } from '../../../../simulation/runtime/faults.ts';
import { Random } from '../../../../simulation/runtime/random.ts';
import { Batch } from '../../../../simulation/services/batch.ts';
import { Concurrency } from '../../../../simulation/services/lambda/concurrency.ts';
import { SecretsManager } from '../../../../simulation/services/secrets-manager.ts';
import { StepFunctions } from '../../../../simulation/services/step-functions/step-functions.ts';
import type { Secret } from '../../../../simulation/workload/secret-history.ts';
import { useStack } from '../../support/stack.ts';

const DAY = 24 * 60 * 60_000;

const SECRET: Secret = {
  index: 0,
  name: 'a',
  arn: 'arn:aws:secretsmanager:us-west-2:123456789012:secret:a-a1B2c3',
  primaryRegion: undefined,
  events: [],
  states: [],
};

const stack = useStack();

/** How executions end that are started for runs in so many days, and on which day. */
async function endsOf(...days: readonly number[]): Promise<readonly (readonly [day: number, status?: string])[]> {
  const clock = new Clock(0);
  const random = new Random('seed');
  const faults = new Faults(clock, random, new Set());
  const ends: (readonly [day: number, status?: string])[] = [];
  const stepFunctions = new StepFunctions(new Template(stack.cdkOut), {
    clock,
    faults,
    random: () => 0.5,
    secrets: new SecretsManager([SECRET], clock, random),
    batch: new Batch(clock, faults, new Episodes(clock, faults, random)),
    concurrency: new Concurrency(),
    functions: [],
    invoke: () => Promise.reject(new Error('There are no functions.')),
    onStarted: () => undefined,
    onPreflightStarted: () => undefined,
    onSubmitted: () => undefined,
    onJobDone: () => undefined,
    onEnded: ({ end }) => {
      ends.push([Math.floor(clock.now / DAY), end?.status]);
    },
  });
  for (const day of days) {
    const input = JSON.stringify({ secretArn: SECRET.arn, tagsHash: 'x', when: new Date(day * DAY).toISOString() });
    stepFunctions.startExecution({ name: `in-${day}-days`, input, stateMachineArn: stepFunctions.arn });
  }
  await clock.run(2 * Math.max(...days) * DAY);
  return ends;
}

test('an execution ends after a year, whatever it waits for', async () => {
  // There are no functions, so an execution fails after its wait.
  expect(await endsOf(364, 366)).toEqual([
    [364, 'FAILED'],
    [365, 'TIMED_OUT'],
  ]);
});
