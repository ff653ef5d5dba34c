import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';

/** Reads the log streams of jobs, each line once. */
export class JobLog {
  readonly #client: CloudWatchLogsClient;
  /** Where to go on, by stream. */
  readonly #tokens = new Map<string, string>();

  constructor(client: CloudWatchLogsClient) {
    this.#client = client;
  }

  /** The lines of a stream that were not read before; none if the stream does not exist yet. */
  async *newLines(logGroupName: string, logStreamName: string): AsyncGenerator<string, void> {
    for (;;) {
      const nextToken = this.#tokens.get(logStreamName);
      const request = { logGroupName, logStreamName, startFromHead: true, nextToken };
      const { events = [], nextForwardToken } = await this.#client
        .send(new GetLogEventsCommand(request))
        .catch(nothingYet);
      yield* events.flatMap(({ message }) => message ?? []);
      // A page may be empty although others follow. The end is where the token stays the same.
      if (nextForwardToken === undefined || nextForwardToken === nextToken) {
        return;
      }
      this.#tokens.set(logStreamName, nextForwardToken);
    }
  }
}

function nothingYet(error: unknown): { readonly events?: never; readonly nextForwardToken?: never } {
  if (error instanceof ResourceNotFoundException) {
    return {};
  }
  throw error;
}
