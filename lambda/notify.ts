import { hash } from 'node:crypto';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import * as z from 'zod/mini';
import type { NotifyEnvironment } from '../contract.ts';
import { checkNoticeOf } from './core/notify/check-notice.ts';
import { type EndedCheck, endedCheckOf } from './core/notify/ended-check.ts';
import { type AboutExecution, endedExecutionOf } from './core/notify/ended-execution.ts';
import { type EndedRun, endedRunOf } from './core/notify/ended-run.ts';
import { type FailedScan, failedScanOf } from './core/notify/failed-scan.ts';
import { messageOf } from './core/notify/message.ts';
import { type Notice, noticeOf, standingAfter } from './core/notify/notice.ts';
import { isNewProblem, keyOfProblem } from './core/notify/problem.ts';
import { readStanding, writeStanding } from './core/notify/standing.ts';
import { readCheckLog, readJobLog } from './notify/job-log.ts';
import { putOwnEvents } from './own-events.ts';
import { readText, writeText } from './stored-text.ts';

const MINUTE_MS = 60_000;

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
 * The Notify function: reports the failed run, the recovery, the check or the failed scan that an event is about.
 *
 * It sends its message before it stores that it did. If it fails in between, or an event comes twice at the same time,
 * the message is sent again: better twice than never.
 *
 * @returns what was reported; null if there was nothing to report
 * @throws {Error} for any other event
 */
export async function handler(event: unknown): Promise<Notice | null> {
  const settings = environment.parse(process.env);
  const ended = endedExecutionOf(event);
  if (ended !== undefined) {
    const notice =
      ended.stateMachineArn === settings.CHECK_STATE_MACHINE_ARN
        ? await reportCheck(endedCheckOf(ended), settings)
        : await reportRun(endedRunOf(ended), settings);
    return notice ?? null;
  }
  const scan = failedScanOf(event);
  if (scan !== undefined) {
    return (await reportScan(scan, settings)) ?? null;
  }
  throw new Error('The event is neither the end of an execution nor a failed scan.');
}

async function reportRun(run: EndedRun, settings: NotifyEnvironment): Promise<Notice | undefined> {
  const { STATE_BUCKET, DUMP_LOG_GROUP } = settings;
  const key = keyOfStanding(run.purpose === 'drill' ? 'drills' : 'runs', run);
  const before = readStanding(await readText(s3, STATE_BUCKET, key));
  const found = noticeOf(run, before);
  if (found === undefined) {
    return undefined;
  }
  const { logStream } = found;
  const notice = logStream === undefined ? found : { ...found, ...(await readJobLog(logs, DUMP_LOG_GROUP, logStream)) };
  await report(notice, settings);
  await writeText(s3, STATE_BUCKET, key, writeStanding(standingAfter(run, notice, before)));
  return notice;
}

async function reportCheck(check: EndedCheck, settings: NotifyEnvironment): Promise<Notice | undefined> {
  const { STATE_BUCKET, DUMP_LOG_GROUP, JOB_SECURITY_GROUPS } = settings;
  const key = keyOfStanding('checks', check);
  const before = readStanding(await readText(s3, STATE_BUCKET, key));
  if (before.ends.includes(check.id)) {
    return undefined;
  }
  const logStream = check.end.status === 'not made' ? undefined : check.end.logStream;
  const log = logStream === undefined ? { findings: [], sql: [] } : await readCheckLog(logs, DUMP_LOG_GROUP, logStream);
  const notice = checkNoticeOf(check, log, JOB_SECURITY_GROUPS);
  await report(notice, settings);
  await writeText(s3, STATE_BUCKET, key, writeStanding({ ends: [...before.ends, check.id] }));
  return notice;
}

/**
 * Key of the object that holds what was reported of a secret. Dumps, drills and checks have one each: none is the
 * recovery of another, and those that end together would overwrite each other's.
 */
function keyOfStanding(folder: 'runs' | 'drills' | 'checks', { secretArn, execution }: AboutExecution): string {
  return `${folder}/${hash('sha256', secretArn ?? execution)}`;
}

async function reportScan(scan: FailedScan, settings: NotifyEnvironment): Promise<Notice | undefined> {
  const { STATE_BUCKET } = settings;
  const now = new Date();
  const scanIntervalMs = Number(settings.SCAN_INTERVAL_MINUTES) * MINUTE_MS;
  const reasons: string[] = [];
  for (const problem of scan.problems) {
    if (isNewProblem(await readText(s3, STATE_BUCKET, keyOfProblem(problem)), now, scanIntervalMs)) {
      reasons.push(problem);
    }
  }
  const notice: Notice = { kind: 'scan failed', reasons, article: 'alarm-scan-failed' };
  if (reasons.length > 0) {
    await report(notice, settings);
  }
  for (const problem of scan.problems) {
    await writeText(s3, STATE_BUCKET, keyOfProblem(problem), now.toISOString());
  }
  return reasons.length > 0 ? notice : undefined;
}

async function report(notice: Notice, { TOPIC_ARN, DUMP_LOG_GROUP }: NotifyEnvironment): Promise<void> {
  const { region, accountId } = parse(TOPIC_ARN);
  const { subject, text } = messageOf(notice, { region, account: accountId, dumpLog: DUMP_LOG_GROUP });
  await sns.send(new PublishCommand({ TopicArn: TOPIC_ARN, Subject: subject, Message: text }));
  await putOwnEvents(eventBridge, [notice]);
}
