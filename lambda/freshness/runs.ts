import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import * as z from 'zod/mini';
import type { ExecutionInput } from '../../contract.ts';
import { executionArn } from '../core/execution-name.ts';
import type { Run } from '../core/freshness/assessment.ts';
import { parsedJson } from '../core/parsed-json.ts';
import { reasonsOf, runResult } from '../core/run-result.ts';

const STATUSES: Readonly<Record<ExecutionStatus, Exclude<Run['status'], 'none'>>> = {
  RUNNING: 'going',
  PENDING_REDRIVE: 'failed',
  FAILED: 'failed',
  TIMED_OUT: 'timed out',
  ABORTED: 'stopped',
  SUCCEEDED: 'succeeded',
};

/** The output of a run that made no dump, since its schedule had changed. */
const superseded = z.object({ reason: z.string() });

/**
 * The run of a scheduled time. Whether its dump or evidence is missing does not depend on it, so that a fault in the
 * names of executions, which are the stack's own, cannot hide what is missing.
 */
export async function describeRun(client: SFNClient, stateMachineArn: string, input: ExecutionInput): Promise<Run> {
  const execution = executionArn(stateMachineArn, input);
  try {
    const {
      status = 'FAILED',
      cause,
      output,
    } = await client.send(new DescribeExecutionCommand({ executionArn: execution }));
    const { data: failed } = runResult.safeParse(parsedJson(cause));
    // What exit statuses mean is said of dumps. The cause of other executions, such as older ones, is text.
    const reason = failed
      ? input.purpose === 'drill'
        ? failed.dump.message
        : reasonsOf(failed.dump).join(' ')
      : (cause ?? superseded.safeParse(parsedJson(output)).data?.reason);
    return { status: STATUSES[status], execution, ...(reason === undefined ? {} : { reason }) };
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) {
      return { status: 'none' };
    }
    throw error;
  }
}
