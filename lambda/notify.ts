import { hash } from 'node:crypto';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import * as z from 'zod/mini';
import type { NotifyEnvironment } from '../contract.ts';
import { type EndedRun, endedRunOf } from './core/notify/ended-run.ts';
import { type FailedScan, failedScanOf } from './core/notify/failed-scan.ts';
import { newProblems, readKnownProblems } from './core/notify/known-problems.ts';
import { messageOf } from './core/notify/message.ts';
import { type Notice, noticeOf } from './core/notify/notice.ts';
import { readStanding, writeStanding } from './core/notify/standing.ts';
import { NotifyStore } from './notify/notify-store.ts';
import { reasonInLog } from './notify/reason-in-log.ts';
import { putOwnEvents } from './own-events.ts';

/** Key of the object with the problems of scans that were reported. */
const SCANS_KEY = 'scans.json';

const environment: z.ZodMiniType<NotifyEnvironment> = z.object({
  TOPIC_ARN: z.string(),
  STATE_BUCKET: z.string(),
  DUMP_LOG_GROUP: z.string(),
});
const s3 = new S3Client();
const sns = new SNSClient();
const logs = new CloudWatchLogsClient();
const eventBridge = new EventBridgeClient();

/**
 * The Notify function: reports the failed run, the recovery or the failed scan that an event is about.
 *
 * It sends its message before it stores that it did. If it fails in between, or an event comes twice at the same time,
 * the message is sent again: better twice than never.
 *
 * @returns what was reported; null if there was nothing to report
 * @throws {Error} for any other event
 */
export async function handler(event: unknown): Promise<Notice | null> {
  const settings = environment.parse(process.env);
  const store = new NotifyStore(s3, settings.STATE_BUCKET);
  const run = endedRunOf(event);
  if (run !== undefined) {
    return (await reportRun(run, store, settings)) ?? null;
  }
  const scan = failedScanOf(event);
  if (scan !== undefined) {
    return (await reportScan(scan, store, settings)) ?? null;
  }
  throw new Error('The event is neither the end of an execution nor a failed scan.');
}

async function reportRun(run: EndedRun, store: NotifyStore, settings: NotifyEnvironment): Promise<Notice | undefined> {
  const key = `runs/${hash('sha256', run.secretArn ?? run.execution)}.json`;
  const stored = await store.get(key);
  const notice = noticeOf(run, stored === undefined ? undefined : readStanding(stored));
  if (notice !== undefined) {
    await report(notice, settings);
    const { execution, when: scheduled } = run;
    await store.put(key, writeStanding({ execution, scheduled, failing: notice.kind !== 'recovered' }));
  }
  return notice;
}

async function reportScan(
  scan: FailedScan,
  store: NotifyStore,
  settings: NotifyEnvironment,
): Promise<Notice | undefined> {
  const before = readKnownProblems((await store.get(SCANS_KEY)) ?? '{}');
  const { problems, known } = newProblems(scan.problems, before, new Date());
  const notice: Notice | undefined =
    problems.length === 0 ? undefined : { kind: 'scan failed', reasons: problems, article: 'alarm-scan-failed' };
  if (notice !== undefined) {
    await report(notice, settings);
  }
  await store.put(SCANS_KEY, JSON.stringify(known));
  return notice;
}

async function report(notice: Notice, { TOPIC_ARN, DUMP_LOG_GROUP }: NotifyEnvironment): Promise<void> {
  const { region, accountId } = parse(TOPIC_ARN);
  const { logStream } = notice;
  const reason = logStream === undefined ? undefined : await reasonInLog(logs, DUMP_LOG_GROUP, logStream);
  const place = { region, account: accountId, dumpLog: DUMP_LOG_GROUP };
  const { subject, text } = messageOf(notice, reason, place);
  await sns.send(new PublishCommand({ TopicArn: TOPIC_ARN, Subject: subject, Message: text }));
  await putOwnEvents(eventBridge, [notice]);
}
