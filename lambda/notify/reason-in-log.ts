import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';

/** The last line of a job's log, with which the dump program ends; undefined if there is none, or not yet. */
export async function reasonInLog(
  client: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<string | undefined> {
  try {
    const { events = [] } = await client.send(new GetLogEventsCommand({ logGroupName, logStreamName, limit: 1 }));
    return events.at(-1)?.message;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw error;
  }
}
