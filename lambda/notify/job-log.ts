import { type CloudWatchLogsClient, GetLogEventsCommand, paginateGetLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { DESTINATION_LABEL } from '../../contract.ts';
import { type CheckLog, checkLogOf } from '../core/notify/check-log.ts';

/** What the log of a job says of its dump. */
export interface JobLog {
  /** Where the dump would be; its name contains that of the database, which only jobs know. */
  readonly destination?: string | undefined;
  /** The last line, with which the dump program says why it failed. */
  readonly log?: string | undefined;
}

/** The end of the first line of a dump's log. */
const DESTINATION = new RegExp(`${DESTINATION_LABEL}(s3://.+)$`);

/**
 * Reads a job's log. It only adds to a message, which is sent without it if it cannot be read, or has not arrived yet.
 */
export async function readJobLog(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<JobLog> {
  const lineAt = async (startFromHead: boolean): Promise<string | undefined> => {
    const request = { logGroupName, logStreamName, startFromHead, limit: 1 };
    const { events = [] } = await client.send(new GetLogEventsCommand(request));
    return events.at(0)?.message;
  };
  try {
    const [, destination] = DESTINATION.exec((await lineAt(true)) ?? '') ?? [];
    return { destination, log: await lineAt(false) };
  } catch (error) {
    console.error(error);
    return { log: unreadable(error) };
  }
}

/** At most this many lines of a check's log are read. Those of its SQL come last. */
const MAX_LINES = 1000;

/**
 * These lines have at most this many bytes as JSON. They become part of a message and of an event, each of which has at
 * most 262,144 bytes: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
 */
const MAX_BYTES = 100_000;

/** Reads what a check found. As {@link readJobLog}, it only adds to a message. */
export async function readCheckLog(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<CheckLog> {
  try {
    const { lines, areAll } = await firstLines(client, logGroupName, logStreamName);
    return { ...checkLogOf(lines), ...(areAll ? {} : { log: 'more lines are in the log' }) };
  } catch (error) {
    console.error(error);
    return { findings: [], sql: [], log: unreadable(error) };
  }
}

async function firstLines(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<{ readonly lines: readonly string[]; readonly areAll: boolean }> {
  const lines: string[] = [];
  let bytes = 0;
  // A page may be empty although others follow. The end is where the token stays the same.
  const pages = paginateGetLogEvents(
    { client, stopOnSameToken: true },
    { logGroupName, logStreamName, startFromHead: true },
  );
  for await (const { events = [] } of pages) {
    for (const { message = '' } of events) {
      bytes += Buffer.byteLength(JSON.stringify(message));
      if (lines.length === MAX_LINES || bytes > MAX_BYTES) {
        return { lines, areAll: false };
      }
      lines.push(message);
    }
  }
  return { lines, areAll: true };
}

function unreadable(error: unknown): string {
  return `could not be read: ${error instanceof Error ? error.name : String(error)}`;
}
