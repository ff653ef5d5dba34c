import type { SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionInput } from '../contract.ts';
import { decide, type SecretDescription } from './core/decision.ts';
import { executionName, secretName } from './core/execution-name.ts';
import type { Memo } from './core/memo.ts';
import { startExecution } from './start-execution.ts';

/** What a scan did for one secret. */
export interface ScanResult {
  readonly secret: string;
  /**
   * `closed`: its execution was started and ended before its scheduled time, most likely because it was stopped. A run
   * that the memo knows is reported as `waiting` even so.
   */
  readonly outcome: 'started' | 'waiting' | 'closed' | 'later' | 'skipped' | 'failed';
  /** The next run, if any: UTC, RFC 3339. */
  readonly when?: string;
  /** The two runs after it. */
  readonly following?: readonly string[];
  readonly reason?: string;
}

/** How many secrets are scanned concurrently. */
export const CONCURRENCY = 10;

/**
 * Minimum duration of a start: with ten concurrent ones at most a hundred starts a second. StartExecution allows 150 a
 * second in small Regions, which leaves the rest to runs that reschedule themselves.
 */
const MIN_START_MS = 100;

/** Clients and state that the scans of all secrets share. */
export interface ScanContext {
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly memo: Memo;
  /** Names of running executions, which may be missing from the memo. */
  readonly running: ReadonlySet<string>;
}

/** Starts the next run of one secret if needed. A failure affects only this secret and is reported by its name. */
export async function scan(secret: SecretDescription, context: ScanContext): Promise<ScanResult> {
  const name = secretName(secret.ARN);
  const { memo } = context;
  try {
    const decision = decide(secret, new Date(), memo);
    switch (decision.kind) {
      case 'start': {
        const outcome = await start(decision.input, context);
        // The name of a closed execution may become available again at any time.
        if (outcome !== 'closed') {
          memo.add(decision.input, new Date());
        }
        return { secret: name, outcome, when: decision.input.when, following: decision.following };
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

/** Starts the execution for a run unless it is already running. Resolves when the next one may be started. */
async function start(
  input: ExecutionInput,
  { stepFunctions, stateMachineArn, running }: ScanContext,
): Promise<'started' | 'waiting' | 'closed'> {
  if (running.has(executionName(input))) {
    return 'waiting';
  }
  const pause = new Promise((resolve) => setTimeout(resolve, MIN_START_MS));
  const outcome = await startExecution(stepFunctions, stateMachineArn, input);
  await pause;
  return outcome;
}
