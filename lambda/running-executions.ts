import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';

/** The listing may lag behind; Step Functions does not say how far. What it hides for longer is asked for by its name. */
const LISTING_LAG = 5 * 60_000;

/**
 * Names of the executions that run and were started since an instant, most of them by Reschedule, and of some older ones.
 * Step Functions lists the newest first, a thousand a page.
 */
export async function namesRunning(
  client: SFNClient,
  stateMachineArn: string,
  since: Date,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  let nextToken: string | undefined;
  let oldest: Date | undefined;
  do {
    const page = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 1000, nextToken }),
    );
    for (const { name, startDate } of page.executions ?? []) {
      if (name !== undefined) {
        names.add(name);
      }
      oldest = startDate;
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined && (oldest === undefined || oldest.getTime() >= since.getTime() - LISTING_LAG));
  return names;
}
