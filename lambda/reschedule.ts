import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Comparison, Rescheduled, RescheduleInput } from '../contract.ts';
import { compare } from './core/comparison.ts';
import { decideFollowing } from './core/decision.ts';
import { describeSecret } from './secrets.ts';
import { startExecution } from './start-execution.ts';

const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient();

/** Outcomes after which the schedule still needs this execution to start the next one. */
const SERVED: readonly Comparison['outcome'][] = ['unchanged', 'moved'];

/** The Reschedule function: starts the execution for the secret's next run after this one. */
export async function handler(input: RescheduleInput): Promise<Rescheduled> {
  const rescheduled = await reschedule(input);
  console.info({ secretArn: input.secretArn, purpose: input.purpose, ...rescheduled });
  return rescheduled;
}

async function reschedule({
  secretArn,
  tagsHash,
  when,
  purpose = 'dump',
  stateMachineArn,
}: RescheduleInput): Promise<Rescheduled> {
  const secret = await describeSecret(secretsManager, secretArn);
  const comparison = compare(secret, { tagsHash, when, purpose });
  if (!secret || !SERVED.includes(comparison.outcome)) {
    return { outcome: 'superseded', reason: comparison.reason };
  }
  const decision = decideFollowing(secret, purpose, new Date(when), new Date());
  switch (decision.kind) {
    case 'start': {
      const outcome = await startExecution(stepFunctions, stateMachineArn, decision.input);
      const stopped = outcome === 'closed' ? ' Its execution has already ended: it was stopped.' : '';
      const { when: next } = decision.input;
      return { outcome, next, timezone: decision.timezone, reason: `The next run is at ${next}.${stopped}` };
    }
    case 'later':
      return { outcome: 'later', next: decision.when, timezone: decision.timezone, reason: decision.reason };
    case 'skip':
      return { outcome: 'superseded', reason: decision.reason };
    case 'invalid':
      throw new Error(`The schedule of ${secretArn} is no longer valid: ${decision.reason}`);
  }
}
