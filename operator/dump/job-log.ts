import { type CloudWatchLogsClient, GetLogEventsCommand, ResourceNotFoundException } from '@aws-sdk/client-cloudwatch-logs';

/** Reads the log streams of a log group, each line once. */
export class JobLog {
  readonly #client: CloudWatchLogsClient;
  /** Where to go on, by stream. */
  readonly #tokens = new Map<string, string>();

  constructor(client: CloudWatchLogsClient) {
    this.#client = client;
  }

  /** The lines of a stream that were not read before; none if the stream does not exist yet. */
  async newLines(logGroupName: string, logStreamName: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const token = this.#tokens.get(logStreamName);
      const request = { logGroupName, logStreamName, startFromHead: true, nextToken: token };
      try {
        const { events = [], nextForwardToken } = await this.#client.send(new GetLogEventsCommand(request));
        lines.push(...events.flatMap(({ message }) => message ?? []));
        // A page may be empty although others follow. The end is where the token stays the same.
        if (nextForwardToken === undefined || nextForwardToken === token) {
          return lines;
        }
        this.#tokens.set(logStreamName, nextForwardToken);
      } catch (error) {
        if (error instanceof ResourceNotFoundException) {
          return lines;
        }
        throw error;
      }
    }
  }
}
