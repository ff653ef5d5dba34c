import { z } from 'zod';

const listSchema = z.object({
  statusFilter: z.literal('RUNNING'),
  maxResults: z.number().max(1000),
  nextToken: z.coerce.number().optional(),
});

/**
 * Lists running executions, newest first:
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
 *
 * @param running in the order in which they were started
 */
export function listRunning(
  running: readonly { readonly name: string; readonly started: number }[],
  request: unknown,
): object {
  const { maxResults, nextToken } = listSchema.parse(request);
  const older = running.slice(0, nextToken);
  const page = older.slice(-maxResults).reverse();
  const left = older.length - page.length;
  return {
    executions: page.map(({ name, started }) => ({ name, startDate: started / 1000, status: 'RUNNING' })),
    ...(left > 0 ? { nextToken: String(left) } : {}),
  };
}
