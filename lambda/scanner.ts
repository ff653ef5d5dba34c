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
import { namesRunning } from './running-executions.ts';
import { CONCURRENCY, type Finding, scan, type ScanTools } from './scan.ts';
import { describeSecret, listTaggedSecrets } from './secrets.ts';

/** What a scan answers with. The answer of a function has a limit, so that what was done for each secret is in the log. */
export interface Summary {
  /** How many secrets came to which end. */
  readonly secrets: Readonly<Record<Finding['outcome'], number>>;
  /** What was done for the secret that the event named. */
  readonly named?: Finding;
}

/** A scan went through all secrets, and these could not be handled. */
export class ScanFailed extends Error {
  override readonly name = 'ScanFailed';
  constructor(number: number, reasons: readonly string[]) {
    super(
      `${number} problem(s); every other secret was handled.\n${reasons.join('\n')}` +
        (number > reasons.length ? `\n… and ${number - reasons.length} more, which the log names` : ''),
    );
  }
}

/** An invocation ends after 15 minutes. A page of secrets, memo and all, takes far less than the two that are left. */
const LONGEST_LEG = 13 * 60_000;

/**
 * Within this time, what has begun to run is not listed again: ListExecutions refills at 2/s in small Regions, and many
 * secrets may be tagged one by one, each with a scan.
 */
const NEW_ENOUGH = 10 * 60_000;

/** So many of the secrets that could not be handled an error names. */
const MOST_REASONS = 50;

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
 * The Scanner function: starts the next run of every tagged secret of the account's Region. The secret that the event
 * names comes first, described afresh, since the listing lags behind changes. A scan that is too long for one
 * invocation goes on in another one, and the last of them tells what went wrong in all.
 *
 * @throws ScanFailed after all others are done, naming the secrets that could not be handled
 */
export async function handler(event: unknown): Promise<Summary> {
  const { STATE_MACHINE_ARN, MEMO_BUCKET, AWS_LAMBDA_FUNCTION_NAME } = environment.parse(process.env);
  const end = Date.now() + LONGEST_LEG;
  const before = continuationOf(event);
  const report = new Report(before);
  const tools = await scanTools(STATE_MACHINE_ARN, MEMO_BUCKET, before, report);

  const fresh = await scanNamed(secretNamedBy(event), tools, report);
  let nextToken = before?.nextToken;
  do {
    const page = await listTaggedSecrets(secretsManager, nextToken);
    const others = page.secrets.filter(({ ARN }) => ARN !== fresh);
    const findings = await pMap(others, (secret) => scan(secret, tools), { concurrency: CONCURRENCY });
    findings.forEach((finding) => {
      report.add(finding);
    });
    nextToken = page.nextToken;
  } while (nextToken !== undefined && Date.now() < end);

  await report.orElse('memo of started runs', undefined, () => writeMemo(s3, MEMO_BUCKET, tools.memo));
  if (nextToken !== undefined) {
    await goOn(lambda, AWS_LAMBDA_FUNCTION_NAME, report.continuation(nextToken));
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

/** Scans the secret that the event names, if it still exists, and returns its ARN so that the listing can leave it out. */
async function scanNamed(secretId: string | undefined, tools: ScanTools, report: Report): Promise<string | undefined> {
  if (secretId === undefined) {
    return undefined;
  }
  return await report.orElse(secretId, undefined, async () => {
    const secret = await describeSecret(secretsManager, secretId);
    report.addNamed(
      secret
        ? await scan(secret, tools)
        : { secret: secretId, outcome: 'skipped', reason: 'It does not exist any more.' },
    );
    return secret?.ARN;
  });
}

/** What a scan did, over all of its legs. */
class Report {
  readonly #secrets = { started: 0, waiting: 0, closed: 0, later: 0, skipped: 0, failed: 0 };
  #named: Finding | undefined;
  readonly #leg: number;
  readonly #reasons: string[];
  #failed: number;

  constructor({ leg, failed, reasons }: Omit<Continuation, 'nextToken'> = { leg: 1, failed: 0, reasons: [] }) {
    this.#leg = leg;
    this.#failed = failed;
    this.#reasons = [...reasons];
  }

  add(finding: Finding): void {
    console.info(finding);
    this.#secrets[finding.outcome] += 1;
    if (finding.outcome === 'failed') {
      this.#failed += 1;
      if (this.#reasons.length < MOST_REASONS) {
        this.#reasons.push(`${finding.secret}: ${String(finding.reason)}`);
      }
    }
  }

  /** Of the secret that the event named. */
  addNamed(finding: Finding): void {
    this.add(finding);
    this.#named = finding;
  }

  get summary(): Summary {
    return { secrets: this.#secrets, ...(this.#named ? { named: this.#named } : {}) };
  }

  /** What an action brings; if it fails, a failure of the scan, which goes on with the substitute. */
  async orElse<T>(what: string, substitute: T, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.add({ secret: what, outcome: 'failed', reason: String(error) });
      return substitute;
    }
  }

  continuation(nextToken: string): Continuation {
    return { leg: this.#leg + 1, nextToken, failed: this.#failed, reasons: this.#reasons };
  }

  throwIfFailed(): void {
    if (this.#failed > 0) {
      throw new ScanFailed(this.#failed, this.#reasons);
    }
  }
}
