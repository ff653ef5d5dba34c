import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod/mini';
import type { DumpRequest, NotStarted, StartedNow } from '../../contract.ts';
import { decideNow } from '../core/decision.ts';
import { executionArn } from '../core/execution-name.ts';
import { describeSecret } from '../secrets.ts';
import { startExecution } from '../start-execution.ts';

const request: z.ZodMiniType<DumpRequest> = z.object({ dumpNow: z.string() });

/** Name or ARN of the secret whose database is to be dumped now; undefined for any other event. */
export function secretToDumpNow(event: unknown): string | undefined {
  return request.safeParse(event).data?.dumpNow;
}

/**
 * Starts a run for this moment, which does not disturb those of the schedule. Refuses a secret that does not exist, or
 * is not on a schedule, since the job may not read it.
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
