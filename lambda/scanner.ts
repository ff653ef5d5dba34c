import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import pMap from 'p-map';
// All of lambda/ uses zod/mini: in a bundle it is 23 kB where zod is 106 to 470 kB, and cold starts parse every byte.
import * as z from 'zod/mini';
import type { NotStarted, ScannerEnvironment, StartedNow } from '../contract.ts';
import { Memo, type MemoScope } from './core/memo.ts';
import { isOfAnotherAccount, secretIdOf } from './core/tag-event.ts';
import { type Continuation, continuationOf, invokeAgain } from './scanner/continuation.ts';
import { dumpNow, secretToDumpNow } from './scanner/dump-now.ts';
import { readMemo, writeMemo } from './scanner/memo-store.ts';
import { runningNames } from './scanner/running-executions.ts';
import { ScanReport, type Summary } from './scanner/scan-report.ts';
import { CONCURRENCY, scan, type ScanContext } from './scanner/scan-secret.ts';
import { describeSecret, listTaggedSecrets } from './secrets.ts';

/**
 * An invocation ends after 15 minutes. One more page, and storing the memo, take far less than the remaining two. If
 * the clock jumps ahead meanwhile, the scan takes one invocation more; if it jumps back, this one times out, and Lambda
 * repeats it.
 */
const MAX_LEG_MS = 13 * 60_000;

/**
 * A memo this recent, as when a scan is retried, needs no listing of executions: ListExecutions refills at only 2/s.
 */
const RECENT_MS = 10 * 60_000;

type Settings = ScannerEnvironment & { readonly AWS_LAMBDA_FUNCTION_NAME: string };

const environment: z.ZodMiniType<Settings> = z.object({
  STATE_MACHINE_ARN: z.string(),
  CHECK_STATE_MACHINE_ARN: z.string(),
  MEMO_BUCKET: z.string(),
  AWS_LAMBDA_FUNCTION_NAME: z.string(),
});
const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient({ retryMode: 'adaptive', maxAttempts: 10 });
const s3 = new S3Client();
const lambda = new LambdaClient();

/**
 * The Scanner function. An event that names a secret causes a scan of only that one, since many secrets may be tagged
 * at once, including those that have nothing to do with AutoDump. `{"dumpNow": "prod/orders"}`, of a manual invocation,
 * starts a run of that secret at once. Anything else causes a scan of all secrets.
 *
 * @throws {ScanFailed} after everything else is done, naming the secrets that could not be handled
 */
export async function handler(event: unknown): Promise<Summary | StartedNow | NotStarted> {
  const settings = environment.parse(process.env);
  const requested = secretToDumpNow(event);
  if (requested !== undefined) {
    return await dumpNow(requested, settings.STATE_MACHINE_ARN, secretsManager, stepFunctions);
  }
  const named = secretIdOf(event);
  return named === undefined ? await scanAll(settings, continuationOf(event)) : await scanNamed(named, settings);
}

/** The rules of time zones are those of the runtime, which AWS updates. */
function memoScope(stateMachineArn: string): MemoScope {
  return { stateMachineArn, timezoneRules: process.versions.tz };
}

/**
 * Starts the next runs of one secret, and a check of it. DescribeSecret is used, since listings may lag behind changes.
 */
async function scanNamed(secretId: string, settings: Settings): Promise<Summary> {
  const report = new ScanReport();
  const { STATE_MACHINE_ARN: stateMachineArn, CHECK_STATE_MACHINE_ARN: checkStateMachineArn } = settings;
  const memo = new Memo(memoScope(stateMachineArn));
  const running = new Set<string>();
  const context = { stepFunctions, stateMachineArn, checkStateMachineArn, memo, running, isNamed: true };
  const skipped = (reason: string) => [{ secret: secretId, outcome: 'skipped', reason }] as const;
  await report.attempt(secretId, undefined, async () => {
    if (isOfAnotherAccount(secretId, stateMachineArn)) {
      report.addNamed(skipped('It belongs to another account.'));
      return;
    }
    const secret = await describeSecret(secretsManager, secretId);
    report.addNamed(secret ? await scan(secret, context) : skipped('It no longer exists.'));
  });
  report.throwIfFailed();
  return report.summary;
}

/**
 * Starts the next runs of every tagged secret in this account and Region, and checks of those that are new. A scan that
 * is too long for one invocation continues in another. The last one fails if any had failures; Lambda then retries only
 * this last part.
 */
async function scanAll(settings: Settings, previous: Continuation | undefined): Promise<Summary> {
  const end = Date.now() + MAX_LEG_MS;
  const report = new ScanReport(previous);
  const context = await scanContext(settings, previous, report);
  let nextToken = previous?.nextToken;
  do {
    const page = await listTaggedSecrets(secretsManager, nextToken);
    const results = await pMap(page.secrets, (secret) => scan(secret, context), { concurrency: CONCURRENCY });
    results.flat().forEach((result) => {
      report.add(result);
    });
    nextToken = page.nextToken;
  } while (nextToken !== undefined && Date.now() < end);

  await report.attempt('memo of started runs', undefined, () => writeMemo(s3, settings.MEMO_BUCKET, context.memo));
  if (nextToken !== undefined) {
    await invokeAgain(lambda, settings.AWS_LAMBDA_FUNCTION_NAME, report.continuation(nextToken));
  } else {
    report.throwIfFailed();
  }
  return report.summary;
}

/** Loads what earlier scans started, and the executions that were started since. */
async function scanContext(
  settings: Settings,
  previous: Continuation | undefined,
  report: ScanReport,
): Promise<ScanContext> {
  const { STATE_MACHINE_ARN: stateMachineArn, CHECK_STATE_MACHINE_ARN: checkStateMachineArn } = settings;
  const now = new Date();
  const scope = memoScope(stateMachineArn);
  console.info({ timezoneRules: scope.timezoneRules });
  const memo = await report.attempt('memo of started runs', new Memo(scope), () =>
    readMemo(s3, settings.MEMO_BUCKET, scope),
  );
  const context = { stepFunctions, stateMachineArn, checkStateMachineArn, memo, isNamed: false };
  if (previous !== undefined || now.getTime() - memo.asOf.getTime() < RECENT_MS) {
    return { ...context, running: new Set() };
  }
  const running = await report.attempt('list of running executions', undefined, () =>
    runningNames(stepFunctions, stateMachineArn, memo.asOf),
  );
  if (running !== undefined) {
    memo.asOf = now;
  }
  return { ...context, running: running ?? new Set() };
}
