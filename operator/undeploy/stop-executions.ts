import { setTimeout } from 'node:timers/promises';
import { paginateListExecutions, type SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import pMap from 'p-map';

/** With the adaptive retries of the client this stays at the quotas: 25 to 200 StopExecution per second by Region. */
const CONCURRENCY = 10;

/** Time between listings, which may lag behind what was stopped. */
const PAUSE_MS = 1000;

const PROGRESS_MS = 2000;

const CAUSE = 'AutoDump is being removed.';

/**
 * Stops the running executions of state machines until none is left.
 *
 * @param report receives progress, at most every two seconds
 * @returns how many were stopped
 */
export async function stopExecutions(
  client: SFNClient,
  stateMachineArns: readonly string[],
  report: (progress: string) => void,
): Promise<number> {
  const stopped = new Set<string>();
  let reported = Date.now();
  const progress = (text: () => string): void => {
    if (Date.now() - reported >= PROGRESS_MS) {
      reported = Date.now();
      report(text());
    }
  };
  const list = async (): Promise<readonly string[]> => {
    const running: string[] = [];
    for (const stateMachineArn of stateMachineArns) {
      const query = { stateMachineArn, statusFilter: 'RUNNING', maxResults: 1000 } as const;
      for await (const { executions = [] } of paginateListExecutions({ client }, query)) {
        running.push(...executions.flatMap(({ executionArn }) => executionArn ?? []));
        progress(() => `Listed ${running.length} running executions`);
      }
    }
    return running;
  };
  for (let running = await list(); running.length > 0; running = await list()) {
    const remaining = running.filter((arn) => !stopped.has(arn));
    const total = stopped.size + remaining.length;
    await pMap(
      remaining,
      async (executionArn) => {
        await client.send(new StopExecutionCommand({ executionArn, cause: CAUSE }));
        stopped.add(executionArn);
        progress(() => `Stopped ${stopped.size} of ${total} executions`);
      },
      { concurrency: CONCURRENCY },
    );
    progress(() => `Waiting for ${running.length} stopped executions to end`);
    await setTimeout(PAUSE_MS);
  }
  return stopped.size;
}
