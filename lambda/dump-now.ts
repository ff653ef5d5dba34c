import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod/mini';
import { decideNow } from './core/decision.ts';
import { executionArn } from './core/execution-name.ts';
import { describeSecret } from './secrets.ts';
import { startExecution } from './start-execution.ts';

/** Event of a manual invocation of the Scanner. */
const request = z.object({ dumpNow: z.string() });

/** A run that was started on request. */
export interface StartedNow {
  /** ARN of the execution. */
  readonly execution: string;
  /** Its scheduled time: the current one. UTC, RFC 3339, whole seconds; part of the dump's key. */
  readonly when: string;
}

/** Nothing was started. Not an error of the function, which would set off the alarm for failed scans. */
export interface NotStarted {
  readonly refused: string;
}

/** Name or ARN of the secret whose database is to be dumped now; undefined for any other event. */
export function secretToDumpNow(event: unknown): string | undefined {
  return request.safeParse(event).data?.dumpNow;
}

/**
 * Starts a run for this moment, which does not disturb those of the schedule. Refuses a secret that does not exist, or is
 * not on a schedule, since the job may not read it.
 */
export async function dumpNow(
  secretId: string,
  stateMachineArn: string,
  secretsManager: SecretsManagerClient,
  stepFunctions: SFNClient,
): Promise<StartedNow | NotStarted> {
  const secret = await describeSecret(secretsManager, secretId);
  if (secret === undefined) {
    return { refused: `There is no secret ${secretId} in this account and Region.` };
  }
  const decision = decideNow(secret, new Date());
  if (decision.kind !== 'start') {
    return { refused: `${secretId} cannot be dumped now: ${decision.reason}` };
  }
  await startExecution(stepFunctions, stateMachineArn, decision.input);
  return { execution: executionArn(stateMachineArn, decision.input), when: decision.input.when };
}
