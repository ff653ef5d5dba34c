import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { JobProgress } from './job-progress.ts';
import { type RunEnd, runEndOf } from './run-end.ts';

/**
 * Follows a run to its end, and reports the progress of its job.
 *
 * @param pause waits until it is time to look again
 */
export async function followRun(
  client: SFNClient,
  executionArn: string,
  progress: JobProgress,
  pause: () => Promise<unknown>,
): Promise<RunEnd> {
  for (;;) {
    const end = runEndOf(await client.send(new DescribeExecutionCommand({ executionArn })));
    await progress.report();
    await pause();
    if (end !== undefined) {
      // The last lines of a log arrive a little after they were written.
      await progress.report();
      return end;
    }
  }
}
