import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GetLogEventsRequest, GetLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { ServiceError } from '../protocol/json-endpoint.ts';

/** A time that a line was received at, and the line. */
const LINE = /^(\S+) (.*)$/;

/** CloudWatch Logs: the logs of jobs, as files. */
export class LogStreams {
  readonly #folder: string;

  /** @param folder of the files `<log stream>.log`, in which each line begins with its time */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * A token is the number of the lines before it.
   * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
   */
  getLogEvents({
    logStreamName = '',
    startFromHead = false,
    nextToken,
    limit = 10_000,
  }: GetLogEventsRequest): Omit<GetLogEventsResponse, '$metadata'> {
    const lines = this.#read(logStreamName);
    const start =
      nextToken === undefined && !startFromHead ? Math.max(lines.length - limit, 0) : Number(nextToken ?? 0);
    const page = lines.slice(start, start + limit);
    const events = page.flatMap((text) => {
      const [, time = '', message = ''] = LINE.exec(text) ?? [];
      return time === '' ? [] : [{ timestamp: Date.parse(time), message }];
    });
    return { events, nextForwardToken: `${start + page.length}` };
  }

  /** The complete lines of a stream. */
  #read(stream: string): readonly string[] {
    try {
      return readFileSync(join(this.#folder, `${stream}.log`), 'utf8')
        .split('\n')
        .slice(0, -1);
    } catch {
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
    }
  }
}
