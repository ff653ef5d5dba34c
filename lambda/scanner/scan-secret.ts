import type { SFNClient } from '@aws-sdk/client-sfn';
import type { CheckInput, Purpose } from '../../contract.ts';
import { decide, type SecretDescription } from '../core/decision.ts';
import { executionName, secretName } from '../core/execution-name.ts';
import type { Memo } from '../core/memo.ts';
import { purposesOf } from '../core/tags.ts';
import { startCheck, startExecution } from '../start-execution.ts';

/** What a scan did for one schedule of one secret. */
export interface ScanResult {
  readonly secret: string;
  /** Absent if what failed is about no schedule. */
  readonly purpose?: Purpose;
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
 * Starts the next dump and the next drill of one secret if needed, and a check of the secret if its tags may be new. A
 * failure affects only this schedule of this secret, and is reported by its name.
 *
 * @returns a result for each schedule; that of the dumps if it has none
 */
export async function scan(secret: SecretDescription, context: ScanContext): Promise<readonly ScanResult[]> {
  const [first = 'dump', ...others] = purposesOf(secret.Tags);
  const results: ScanResult[] = [];
  for (const purpose of [first, ...others]) {
    results.push({ secret: secretName(secret.ARN), purpose, ...(await scanFor(purpose, secret, context)) });
  }
  return results;
}

async function scanFor(
  purpose: Purpose,
  secret: SecretDescription,
  context: ScanContext,
): Promise<Omit<ScanResult, 'secret' | 'purpose'>> {
  const { stepFunctions, stateMachineArn, memo, running, isNamed } = context;
  try {
    const decision = decide(secret, purpose, new Date(), memo);
    switch (decision.kind) {
      case 'start': {
        const isRunning = running.has(executionName(decision.input));
        const outcome = isRunning
          ? 'waiting'
          : await paced(() => startExecution(stepFunctions, stateMachineArn, decision.input));
        const isStarted = outcome !== 'closed';
        // If the event of a tag is lost, the scan that starts the first run has to start the check, or, if it cannot,
        // its retry, which finds the run waiting. So the memo may not know the run before the check is started.
        const isDue = isNamed || (isStarted && !isRunning);
        const checking = isDue && (await startCheckOf(decision.check, context, isStarted));
        // The name of a closed execution may become available again at any time.
        if (isStarted) {
          memo.add(decision.input, new Date());
        }
        return { outcome, when: decision.input.when, following: decision.check?.following, checking };
      }
      case 'waiting':
        return { outcome: 'waiting', when: decision.when };
      case 'later': {
        const checking = isNamed && (await startCheckOf(decision.check, context, false));
        return { outcome: 'later', when: decision.when, reason: decision.reason, checking };
      }
      case 'skip':
        return { outcome: 'skipped', reason: decision.reason };
      case 'invalid':
        return { outcome: 'failed', reason: decision.reason };
    }
  } catch (error) {
    return { outcome: 'failed', reason: String(error) };
  }
}

/**
 * @returns whether the check was started: not if there is none, or the secret has been checked with these tags
 * @throws {Error} that says what is not started
 */
async function startCheckOf(
  check: CheckInput | undefined,
  { stepFunctions, checkStateMachineArn }: ScanContext,
  isRunStarted: boolean,
): Promise<boolean> {
  if (check === undefined) {
    return false;
  }
  try {
    return (await paced(() => startCheck(stepFunctions, checkStateMachineArn, check))) === 'started';
  } catch (error) {
    const what = isRunStarted ? 'The run is started, but its check is not' : 'The check is not started';
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
}

/** Resolves when the next start may be made. */
async function paced<T>(start: () => Promise<T>): Promise<T> {
  const pause = new Promise((resolve) => setTimeout(resolve, MIN_START_MS));
  const outcome = await start();
  await pause;
  return outcome;
}
