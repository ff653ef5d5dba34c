import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import * as z from 'zod/mini';
import type { NotifyEnvironment } from '../contract.ts';
import type { Message } from './core/message.ts';
import { digestOf } from './core/notify/digest.ts';
import { type BatchResult, eventsIn } from './core/notify/event-batch.ts';
import { messageOf } from './core/notify/message.ts';
import { type Report, reportsOf } from './notify/reports.ts';
import { putOwnEvents } from './own-events.ts';
import { readText, writeText } from './stored-text.ts';

/** What is more than this in one batch becomes one message. */
const MAX_MESSAGES = 5;

/** Follows every message, so that they are at most two a second, also from one invocation to the next. */
const PAUSE_MS = 500;

const environment: z.ZodMiniType<NotifyEnvironment> = z.object({
  TOPIC_ARN: z.string(),
  STATE_BUCKET: z.string(),
  DUMP_LOG_GROUP: z.string(),
  CHECK_STATE_MACHINE_ARN: z.string(),
  JOB_SECURITY_GROUPS: z.string(),
  SCAN_INTERVAL_MINUTES: z.string(),
});
const s3 = new S3Client();
const sns = new SNSClient();
const logs = new CloudWatchLogsClient();
const eventBridge = new EventBridgeClient();

/**
 * The Notify function: reports the failed runs, recoveries, checks and failed scans that a batch of events is about,
 * each in a message of its own, or many in one.
 *
 * It sends a message before it stores that it did. If it fails in between, or an event comes twice at the same time,
 * the message is sent again: better twice than never.
 *
 * @returns the events on which it failed
 * @throws {Error} if its environment or the batch is invalid
 */
export async function handler(batch: unknown): Promise<BatchResult> {
  const settings = environment.parse(process.env);
  const { STATE_BUCKET } = settings;
  const read = (key: string): Promise<string | undefined> => readText(s3, STATE_BUCKET, key);
  const { reports, failed } = await reportsOf(eventsIn(batch), { settings, logs, read });
  const undelivered: string[] = [...failed];
  for (const delivery of deliveriesOf(reports, settings)) {
    undelivered.push(...(await deliver(delivery, settings)));
  }
  return { batchItemFailures: undelivered.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Messages, and what they report. */
interface Delivery {
  readonly messages: readonly Message[];
  readonly reports: readonly Report[];
}

function deliveriesOf(
  reports: readonly Report[],
  { TOPIC_ARN, DUMP_LOG_GROUP: dumpLog }: NotifyEnvironment,
): readonly Delivery[] {
  const { region, accountId: account } = parse(TOPIC_ARN);
  const place = { region, account, dumpLog };
  const notices = reports.flatMap((report) => report.notices);
  if (notices.length > MAX_MESSAGES) {
    for (const notice of notices) {
      console.info(notice);
    }
    return [{ messages: [digestOf(notices, place)], reports }];
  }
  return reports.map((report) => ({
    messages: report.notices.map((notice) => messageOf(notice, place)),
    reports: [report],
  }));
}

/** @returns the events for which that failed */
async function deliver(
  { messages, reports }: Delivery,
  { TOPIC_ARN, STATE_BUCKET }: NotifyEnvironment,
): Promise<readonly string[]> {
  try {
    for (const { subject, text } of messages) {
      await sns.send(new PublishCommand({ TopicArn: TOPIC_ARN, Subject: subject, Message: text }));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } catch (error) {
    console.error(error);
    return reports.flatMap(({ messageIds }) => messageIds);
  }
  const failed: string[] = [];
  for (const { messageIds, notices, reported } of reports) {
    try {
      await putOwnEvents(eventBridge, notices);
      for (const [key, text] of reported) {
        await writeText(s3, STATE_BUCKET, key, text);
      }
    } catch (error) {
      console.error(error);
      failed.push(...messageIds);
    }
  }
  return failed;
}
