import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';

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
    return { log: `could not be read: ${error instanceof Error ? error.name : String(error)}` };
  }
}
