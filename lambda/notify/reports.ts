import { hash } from 'node:crypto';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { NotifyEnvironment } from '../../contract.ts';
import { grouped } from '../core/grouped.ts';
import { checkNoticeOf } from '../core/notify/check-notice.ts';
import { type EndedCheck, endedCheckOf } from '../core/notify/ended-check.ts';
import { type AboutExecution, endedExecutionOf } from '../core/notify/ended-execution.ts';
import { type EndedRun, endedRunOf } from '../core/notify/ended-run.ts';
import type { QueuedEvent } from '../core/notify/event-batch.ts';
import { type FailedScan, failedScanOf } from '../core/notify/failed-scan.ts';
import { type Notice, noticeOf, standingAfter } from '../core/notify/notice.ts';
import { isNewProblem, keyOfProblem } from '../core/notify/problem.ts';
import { readStanding, writeStanding } from '../core/notify/standing.ts';
import { readCheckLog, readJobLog } from './job-log.ts';

const MINUTE_MS = 60_000;

/** What is to be reported of the events about one secret, or of all failed scans. */
export interface Report {
  /** Of the events. */
  readonly messageIds: readonly string[];
  readonly notices: readonly Notice[];
  /** What is to be stored once that was reported, by key. */
  readonly reported: ReadonlyMap<string, string>;
}

export interface ReportContext {
  readonly settings: NotifyEnvironment;
  readonly logs: CloudWatchLogsClient;
  /** Reads what was stored. */
  readonly read: (key: string) => Promise<string | undefined>;
}

interface Subject {
  /** Events with the same key depend on what was reported of each other. */
  readonly key: string;
  /** @returns what to report, if anything; it adds to what is to be stored */
  readonly find: (context: ReportContext, reported: Map<string, string>) => Promise<Notice | undefined>;
}

/**
 * Finds out what to report of a batch of events.
 *
 * @returns one report for each secret and kind of execution, and the events for which that failed
 */
export async function reportsOf(
  events: readonly QueuedEvent[],
  context: ReportContext,
): Promise<{ readonly reports: readonly Report[]; readonly failed: readonly string[] }> {
  const failed: string[] = [];
  const subjects = events.flatMap(({ messageId, event }) => {
    const subject = subjectOf(event, context.settings);
    if (subject === undefined) {
      console.error(`Message ${messageId} is neither the end of an execution nor a failed scan.`);
      failed.push(messageId);
      return [];
    }
    return [{ ...subject, messageId }];
  });
  const reports: Report[] = [];
  for (const group of grouped(subjects, ({ key }) => key).values()) {
    const messageIds: string[] = [];
    const notices: Notice[] = [];
    const reported = new Map<string, string>();
    const read = async (key: string) => reported.get(key) ?? (await context.read(key));
    for (const { messageId, find } of group) {
      try {
        const notice = await find({ ...context, read }, reported);
        messageIds.push(messageId);
        notices.push(...(notice === undefined ? [] : [notice]));
      } catch (error) {
        console.error(error);
        failed.push(messageId);
      }
    }
    reports.push({ messageIds, notices, reported });
  }
  return { reports, failed };
}

/** @returns undefined for any other event */
function subjectOf(event: unknown, { CHECK_STATE_MACHINE_ARN }: NotifyEnvironment): Subject | undefined {
  const ended = endedExecutionOf(event);
  if (ended?.stateMachineArn === CHECK_STATE_MACHINE_ARN) {
    const check = endedCheckOf(ended);
    const key = keyOfStanding('checks', check);
    return { key, find: (context, reported) => findCheck(check, key, context, reported) };
  }
  if (ended !== undefined) {
    const run = endedRunOf(ended);
    const key = keyOfStanding(run.purpose === 'drill' ? 'drills' : 'runs', run);
    return { key, find: (context, reported) => findRun(run, key, context, reported) };
  }
  const scan = failedScanOf(event);
  return scan && { key: 'scans', find: (context, reported) => findScan(scan, context, reported) };
}

/**
 * Key of the object that holds what was reported of a secret. Dumps, drills and checks have one each: none is the
 * recovery of another, and those that end together would overwrite each other's.
 */
function keyOfStanding(folder: 'runs' | 'drills' | 'checks', { secretArn, execution }: AboutExecution): string {
  return `${folder}/${hash('sha256', secretArn ?? execution)}`;
}

async function findRun(
  run: EndedRun,
  key: string,
  { settings, logs, read }: ReportContext,
  reported: Map<string, string>,
): Promise<Notice | undefined> {
  const before = readStanding(await read(key));
  const found = noticeOf(run, before);
  if (found === undefined) {
    return undefined;
  }
  const { logStream } = found;
  const notice =
    logStream === undefined ? found : { ...found, ...(await readJobLog(logs, settings.DUMP_LOG_GROUP, logStream)) };
  reported.set(key, writeStanding(standingAfter(run, notice, before)));
  return notice;
}

async function findCheck(
  check: EndedCheck,
  key: string,
  { settings, logs, read }: ReportContext,
  reported: Map<string, string>,
): Promise<Notice | undefined> {
  const { DUMP_LOG_GROUP, JOB_SECURITY_GROUPS } = settings;
  const before = readStanding(await read(key));
  if (before.ends.includes(check.id)) {
    return undefined;
  }
  const logStream = check.end.status === 'not made' ? undefined : check.end.logStream;
  const log = logStream === undefined ? { findings: [], sql: [] } : await readCheckLog(logs, DUMP_LOG_GROUP, logStream);
  reported.set(key, writeStanding({ ends: [...before.ends, check.id] }));
  return checkNoticeOf(check, log, JOB_SECURITY_GROUPS);
}

async function findScan(
  scan: FailedScan,
  { settings, read }: ReportContext,
  reported: Map<string, string>,
): Promise<Notice | undefined> {
  const now = new Date();
  const scanIntervalMs = Number(settings.SCAN_INTERVAL_MINUTES) * MINUTE_MS;
  const reasons: string[] = [];
  for (const problem of scan.problems) {
    if (isNewProblem(await read(keyOfProblem(problem)), now, scanIntervalMs)) {
      reasons.push(problem);
    }
  }
  for (const problem of scan.problems) {
    reported.set(keyOfProblem(problem), now.toISOString());
  }
  return reasons.length > 0
    ? { kind: 'scan failed', seen: scan.seen, reasons, article: 'alarm-scan-failed' }
    : undefined;
}
