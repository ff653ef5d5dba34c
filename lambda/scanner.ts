import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import pMap from 'p-map';
import * as z from 'zod/mini';
import type { ScannerEnvironment } from '../contract.ts';
import { type Continuation, continuationOf, goOn } from './continuation.ts';
import { Memo } from './core/memo.ts';
import { secretNamedBy } from './core/tag-event.ts';
import { readMemo, writeMemo } from './memo-store.ts';
import { Report, type Summary } from './report.ts';
import { namesRunning } from './running-executions.ts';
import { CONCURRENCY, scan, type ScanTools } from './scan.ts';
import { describeSecret, listTaggedSecrets } from './secrets.ts';

/** An invocation ends after 15 minutes. A page of secrets, memo and all, takes far less than the two that are left. */
const LONGEST_LEG = 13 * 60_000;

/** Within this time, as when a scan is tried again, what has begun to run is not listed again: ListExecutions refills at 2/s. */
const NEW_ENOUGH = 10 * 60_000;

const environment: z.ZodMiniType<ScannerEnvironment & { readonly AWS_LAMBDA_FUNCTION_NAME: string }> = z.object({
  STATE_MACHINE_ARN: z.string(),
  MEMO_BUCKET: z.string(),
  AWS_LAMBDA_FUNCTION_NAME: z.string(),
});
const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient({ retryMode: 'adaptive', maxAttempts: 10 });
const s3 = new S3Client();
const lambda = new LambdaClient();

/**
 * The Scanner function. An event that names a secret is about that one alone: many secrets may be tagged at once, and
 * others that have nothing to do with AutoDump as well. Anything else is for a scan of all.
 *
 * @throws {ScanFailed} after all else is done, naming the secrets that could not be handled
 */
export async function handler(event: unknown): Promise<Summary> {
  const { STATE_MACHINE_ARN, MEMO_BUCKET, AWS_LAMBDA_FUNCTION_NAME } = environment.parse(process.env);
  const named = secretNamedBy(event);
  return named === undefined
    ? await scanAll(STATE_MACHINE_ARN, MEMO_BUCKET, AWS_LAMBDA_FUNCTION_NAME, continuationOf(event))
    : await scanNamed(named, STATE_MACHINE_ARN);
}

/** Starts the next run of one secret. It is described afresh, since the listing lags behind changes. */
async function scanNamed(secretId: string, stateMachineArn: string): Promise<Summary> {
  const report = new Report();
  const tools = { stepFunctions, stateMachineArn, memo: new Memo(stateMachineArn), running: new Set<string>() };
  await report.orElse(secretId, undefined, async () => {
    const secret = await describeSecret(secretsManager, secretId);
    report.addNamed(
      secret
        ? await scan(secret, tools)
        : { secret: secretId, outcome: 'skipped', reason: 'It does not exist any more.' },
    );
  });
  report.throwIfFailed();
  return report.summary;
}

/**
 * Starts the next run of every tagged secret of the account's Region. A scan that is too long for one invocation goes on
 * in another one, and the last of them tells what went wrong in all; what is tried again then is that last part.
 */
async function scanAll(
  stateMachineArn: string,
  memoBucket: string,
  functionName: string,
  before: Continuation | undefined,
): Promise<Summary> {
  const end = Date.now() + LONGEST_LEG;
  const report = new Report(before);
  const tools = await scanTools(stateMachineArn, memoBucket, before, report);
  let nextToken = before?.nextToken;
  do {
    const page = await listTaggedSecrets(secretsManager, nextToken);
    const findings = await pMap(page.secrets, (secret) => scan(secret, tools), { concurrency: CONCURRENCY });
    findings.forEach((finding) => {
      report.add(finding);
    });
    nextToken = page.nextToken;
  } while (nextToken !== undefined && Date.now() < end);

  await report.orElse('memo of started runs', undefined, () => writeMemo(s3, memoBucket, tools.memo));
  if (nextToken !== undefined) {
    await goOn(lambda, functionName, report.continuation(nextToken));
  } else {
    report.throwIfFailed();
  }
  return report.summary;
}

/** What the scans before knew, and what has begun to run since. */
async function scanTools(
  stateMachineArn: string,
  bucket: string,
  before: Continuation | undefined,
  report: Report,
): Promise<ScanTools> {
  const now = new Date();
  const memo = await report.orElse('memo of started runs', new Memo(stateMachineArn), () =>
    readMemo(s3, bucket, stateMachineArn),
  );
  if (before !== undefined || now.getTime() - memo.asOf.getTime() < NEW_ENOUGH) {
    return { stepFunctions, stateMachineArn, memo, running: new Set() };
  }
  const running = await report.orElse('list of running executions', undefined, () =>
    namesRunning(stepFunctions, stateMachineArn, memo.asOf),
  );
  if (running !== undefined) {
    memo.asOf = now;
  }
  return { stepFunctions, stateMachineArn, memo, running: running ?? new Set() };
}
