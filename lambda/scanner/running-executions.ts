import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';

/**
 * How far the listing may lag; Step Functions documents no bound. A run that is missing for longer is noticed when the
 * scan tries to start it.
 */
const LISTING_LAG_MS = 5 * 60_000;

/**
 * Names of the running executions that were started since an instant, most of them by Reschedule, and of some older
 * ones. Step Functions lists the newest first, a thousand per page.
 */
export async function runningNames(
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
  } while (nextToken !== undefined && (oldest === undefined || oldest.getTime() >= since.getTime() - LISTING_LAG_MS));
  return names;
}
