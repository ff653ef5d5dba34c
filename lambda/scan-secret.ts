import type { SFNClient } from '@aws-sdk/client-sfn';
import type { CheckInput, ExecutionInput } from '../contract.ts';
import { decide, type SecretDescription } from './core/decision.ts';
import { executionName, secretName } from './core/execution-name.ts';
import type { Memo } from './core/memo.ts';
import { startCheck, startExecution } from './start-execution.ts';

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
  /** Whether a check of the secret was started, to find out whether it can be dumped. */
  readonly checking?: boolean;
  readonly reason?: string;
}

/** How many secrets are scanned concurrently. */
export const CONCURRENCY = 10;

/**
 * Minimum duration of a start, of a run or a check: with ten concurrent ones at most a hundred starts a second.
 * StartExecution allows 150 a second in small Regions, which leaves the rest to runs that reschedule themselves.
 */
const MIN_START_MS = 100;

/** Clients and state that the scans of all secrets share. */
export interface ScanContext {
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly checkStateMachineArn: string;
  readonly memo: Memo;
  /** Names of running executions, which may be missing from the memo. */
  readonly running: ReadonlySet<string>;
  /** Whether an event named the secret, so that its tags may be new. */
  readonly isNamed: boolean;
}

/**
 * Starts the next run of one secret if needed, and a check of the secret if its tags may be new. A failure affects only
 * this secret and is reported by its name.
 */
export async function scan(secret: SecretDescription, context: ScanContext): Promise<ScanResult> {
  const name = secretName(secret.ARN);
  const { memo, isNamed } = context;
  try {
    const decision = decide(secret, new Date(), memo);
    switch (decision.kind) {
      case 'start': {
        const outcome = await startRun(decision.input, context);
        // The name of a closed execution may become available again at any time.
        if (outcome !== 'closed') {
          memo.add(decision.input, new Date());
        }
        const { when, following } = decision.check;
        // If the event of a tag is lost, this is the scan that has to start its first run.
        const checking = (isNamed || outcome === 'started') && (await startCheckOf(decision.check, context));
        return { secret: name, outcome, when, following, checking };
      }
      case 'waiting':
        return { secret: name, outcome: 'waiting', when: decision.when };
      case 'later': {
        const checking = isNamed && (await startCheckOf(decision.check, context));
        return { secret: name, outcome: 'later', when: decision.when, reason: decision.reason, checking };
      }
      case 'skip':
        return { secret: name, outcome: 'skipped', reason: decision.reason };
      case 'invalid':
        return { secret: name, outcome: 'failed', reason: decision.reason };
    }
  } catch (error) {
    return { secret: name, outcome: 'failed', reason: String(error) };
  }
}

/** Starts the execution for a run unless it is already running. */
async function startRun(
  input: ExecutionInput,
  { stepFunctions, stateMachineArn, running }: ScanContext,
): Promise<'started' | 'waiting' | 'closed'> {
  return running.has(executionName(input))
    ? 'waiting'
    : await paced(() => startExecution(stepFunctions, stateMachineArn, input));
}

/** @returns whether the check was started: not if the secret has been checked with these tags */
async function startCheckOf(check: CheckInput, { stepFunctions, checkStateMachineArn }: ScanContext): Promise<boolean> {
  return (await paced(() => startCheck(stepFunctions, checkStateMachineArn, check))) === 'started';
}

/** Resolves when the next start may be made. */
async function paced<T>(start: () => Promise<T>): Promise<T> {
  const pause = new Promise((resolve) => setTimeout(resolve, MIN_START_MS));
  const outcome = await start();
  await pause;
  return outcome;
}
