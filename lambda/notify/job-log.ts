import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { type CheckLog, checkLogOf } from '../core/notify/check-log.ts';

/** What the log of a job says of its dump. */
export interface JobLog {
  /** Where the dump would be; its name contains that of the database, which only jobs know. */
  readonly destination?: string | undefined;
  /** The last line, with which the dump program says why it failed. */
  readonly log?: string | undefined;
}

/** The first line of a dump's log: `Secret prod/orders, scheduled for …: dump to s3://…`. */
const DESTINATION = /: dump to (s3:\/\/.+)$/;

/** Reads a job's log. It only adds to a message, which is sent without it if it cannot be read, or has not arrived yet. */
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

/** The most lines of a check's log that are read. Those of its SQL come last. */
const MAX_LINES = 1000;

/** Reads what a check found. As {@link readJobLog}, it only adds to a message. */
export async function readCheckLog(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<CheckLog> {
  try {
    const request = { logGroupName, logStreamName, startFromHead: true, limit: MAX_LINES };
    const { events = [] } = await client.send(new GetLogEventsCommand(request));
    return checkLogOf(events.flatMap(({ message }) => message ?? []));
  } catch (error) {
    console.error(error);
    return { findings: [], sql: [], log: unreadable(error) };
  }
}

function unreadable(error: unknown): string {
  return `could not be read: ${error instanceof Error ? error.name : String(error)}`;
}
