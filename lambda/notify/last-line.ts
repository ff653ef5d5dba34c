import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';

/**
 * The last line of a job's log, with which the dump program says why it failed; undefined if there is none, or not yet. It
 * only adds to a message, which is sent without it if it cannot be read.
 */
export async function lastLine(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<string | undefined> {
  try {
    const { events = [] } = await client.send(new GetLogEventsCommand({ logGroupName, logStreamName, limit: 1 }));
    return events.at(-1)?.message;
  } catch (error) {
    console.error(error);
    return `could not be read: ${error instanceof Error ? error.name : String(error)}`;
  }
}
