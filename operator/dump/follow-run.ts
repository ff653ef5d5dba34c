import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';
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
  progress: Pick<JobProgress, 'report'>,
  pause: () => Promise<unknown>,
): Promise<RunEnd> {
  const look = async () => runEndOf(await client.send(new DescribeExecutionCommand({ executionArn })));
  for (let end = await look().catch(notYetThere); ; end = await look()) {
    await progress.report();
    await pause();
    if (end !== undefined) {
      // The last lines of a log arrive a little after they were written.
      await progress.report();
      return end;
    }
  }
}

/** What Step Functions describes lags behind what it has started. */
function notYetThere(error: unknown): undefined {
  if (!(error instanceof ExecutionDoesNotExist)) {
    throw error;
  }
}
