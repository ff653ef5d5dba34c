import type { SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionInput } from '../contract.ts';
import { decide, type SecretDescription } from './core/decision.ts';
import { executionName, secretName } from './core/execution.ts';
import type { Memo } from './core/memo.ts';
import { startExecution } from './start-execution.ts';

/** What a scan did about one secret. */
export interface Finding {
  readonly secret: string;
  /**
   * `closed`: its execution was started and has ended before its time, most likely because somebody stopped it; what the
   * memo knows is `waiting` even so.
   */
  readonly outcome: 'started' | 'waiting' | 'closed' | 'later' | 'skipped' | 'failed';
  /** The next run, UTC, RFC 3339, where there is one. */
  readonly when?: string;
  readonly reason?: string;
}

/** How many secrets are scanned at once. */
export const CONCURRENCY = 10;

/**
 * With ten at once a hundred starts a second at most. StartExecution allows 150 a second in small Regions, and leaves
 * the rest to runs that reschedule themselves.
 */
const LEAST_TIME_OF_A_START = 100;

/** What a scan of one secret needs. */
export interface ScanTools {
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly memo: Memo;
  /** Names of executions that run and that the memo need not know. */
  readonly running: ReadonlySet<string>;
}

/** Does what is due for one secret. Whatever goes wrong stays with this secret and is reported by its name. */
export async function scan(secret: SecretDescription, tools: ScanTools): Promise<Finding> {
  const name = secretName(secret.ARN);
  const { memo } = tools;
  try {
    const decision = decide(secret, new Date(), memo);
    switch (decision.kind) {
      case 'start': {
        const outcome = await start(decision.input, tools);
        // The name of an execution that is closed may be free again at any time.
        if (outcome !== 'closed') {
          memo.add(decision.input, new Date());
        }
        return { secret: name, outcome, when: decision.input.when };
      }
      case 'waiting':
        return { secret: name, outcome: 'waiting', when: decision.when };
      case 'later':
        return { secret: name, outcome: 'later', when: decision.when, reason: decision.reason };
      case 'skip':
        return { secret: name, outcome: 'skipped', reason: decision.reason };
      case 'invalid':
        return { secret: name, outcome: 'failed', reason: decision.reason };
    }
  } catch (error) {
    return { secret: name, outcome: 'failed', reason: String(error) };
  }
}

/** Starts the execution for a run unless it runs already, no sooner than the next one may be started. */
async function start(
  input: ExecutionInput,
  { stepFunctions, stateMachineArn, running }: ScanTools,
): Promise<'started' | 'waiting' | 'closed'> {
  if (running.has(executionName(input))) {
    return 'waiting';
  }
  const pause = new Promise((resolve) => setTimeout(resolve, LEAST_TIME_OF_A_START));
  const outcome = await startExecution(stepFunctions, stateMachineArn, input);
  await pause;
  return outcome;
}
