import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import { pMapIterable } from 'p-map';
import * as z from 'zod/mini';
import type { FreshnessEnvironment } from '../contract.ts';
import type { News } from './core/freshness/assessment.ts';
import { messageOf } from './core/freshness/message.ts';
import type { ListedSecret } from './core/freshness/owing.ts';
import type { Watch } from './core/freshness/watch.ts';
import { type CheckContext, checkSecret } from './freshness/check-secret.ts';
import { taggedSecrets } from './freshness/tagged-secrets.ts';
import { loadWatches, storeWatches } from './freshness/watch-store.ts';
import { putOwnEvents } from './own-events.ts';

/** How many secrets are checked concurrently. Ten thousand that are due at once take about half a minute. */
const CONCURRENCY = 20;

/** How many of the secrets that could not be checked an error names. */
const MAX_REASONS = 50;

const MINUTE_MS = 60_000;

const environment: z.ZodMiniType<FreshnessEnvironment> = z.object({
  STATE_MACHINE_ARN: z.string(),
  STATE_BUCKET: z.string(),
  DUMP_BUCKETS: z.string(),
  TOPIC_ARN: z.string(),
  OVERDUE_AFTER_MINUTES: z.string(),
  SCAN_INTERVAL_MINUTES: z.string(),
  SCANNER_NAME: z.string(),
});
const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient();
const s3 = new S3Client();
const sns = new SNSClient();
const eventBridge = new EventBridgeClient();

/** A check is finished, but could not look at these secrets. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
  constructor(failures: readonly string[]) {
    const left = failures.length - MAX_REASONS;
    super(
      `${failures.length} secret(s) could not be checked; all others were.\n${failures.slice(0, MAX_REASONS).join('\n')}` +
        (left > 0 ? `\n… and ${left} more, listed in the log` : ''),
    );
  }
}

/** Response of a check. */
export interface Summary {
  /** How many secrets are on a schedule, as far as they could be checked. */
  readonly secrets: number;
  /** How many of them miss dumps, or have tags that cannot be followed. */
  readonly late: number;
  readonly overdue: number;
  readonly broken: number;
  /** How many things were reported. */
  readonly reported: number;
}

/**
 * The Freshness function: looks for the dumps that have to be there by now, and reports what has changed.
 *
 * It sends its message before it stores what it remembers. If it fails in between, the message is sent again: better
 * twice than never.
 *
 * @throws {CheckFailed} after everything else is done, naming the secrets that could not be checked
 */
export async function handler(): Promise<Summary> {
  const settings = environment.parse(process.env);
  const context = contextOf(settings, new Date());
  const remembered = await loadWatches(s3, settings.STATE_BUCKET);
  const watches = new Map<string, Watch>();
  const news: News[] = [];
  const failures: string[] = [];
  const checks = pMapIterable(
    taggedSecrets(secretsManager),
    (secret) => checkOne(secret, remembered.get(secret.arn), context),
    { concurrency: CONCURRENCY },
  );
  for await (const { arn, watch, news: found, failure } of checks) {
    if (watch !== undefined) {
      watches.set(arn, watch);
    }
    news.push(...found);
    failures.push(...(failure === undefined ? [] : [failure]));
  }
  await report(news, settings, context);
  await storeWatches(s3, settings.STATE_BUCKET, watches);
  if (failures.length > 0) {
    throw new CheckFailed(failures);
  }
  return summaryOf([...watches.values()], news.length);
}

function contextOf(settings: FreshnessEnvironment, now: Date): CheckContext {
  return {
    s3,
    stepFunctions,
    stateMachineArn: settings.STATE_MACHINE_ARN,
    buckets: settings.DUMP_BUCKETS.split(','),
    terms: {
      overdueAfterMs: Number(settings.OVERDUE_AFTER_MINUTES) * MINUTE_MS,
      scanIntervalMs: Number(settings.SCAN_INTERVAL_MINUTES) * MINUTE_MS,
    },
    now,
  };
}

interface Checked {
  readonly arn: string;
  readonly news: readonly News[];
  /** What to remember; absent if the secret is not on a schedule. */
  readonly watch?: Watch | undefined;
  readonly failure?: string;
}

/** A failure affects only this secret: what is remembered of it stays, and the next check looks at it again. */
async function checkOne(secret: ListedSecret, watch: Watch | undefined, context: CheckContext): Promise<Checked> {
  const { arn, name } = secret;
  try {
    return { arn, news: [], ...(await checkSecret(secret, watch, context)) };
  } catch (error) {
    const failure = `${name}: ${String(error)}`;
    console.error(failure);
    return { arn, news: [], watch, failure };
  }
}

async function report(
  news: readonly News[],
  { TOPIC_ARN: TopicArn, SCANNER_NAME: scanner }: FreshnessEnvironment,
  { buckets, now }: CheckContext,
): Promise<void> {
  for (const one of news) {
    console.info(one);
  }
  if (news.length > 0) {
    const { region, accountId } = parse(TopicArn);
    const { subject, text } = messageOf(news, { region, account: accountId, buckets, scanner }, now);
    await sns.send(new PublishCommand({ TopicArn, Subject: subject, Message: text }));
    await putOwnEvents(eventBridge, news);
  }
}

function summaryOf(watches: readonly Watch[], reported: number): Summary {
  const count = (matches: (watch: Watch) => boolean): number => watches.filter(matches).length;
  return {
    secrets: watches.length,
    late: count(({ arrears }) => arrears?.kind === 'late'),
    overdue: count(({ arrears }) => arrears?.kind === 'overdue'),
    broken: count(({ brokenReported }) => brokenReported !== undefined),
    reported,
  };
}
