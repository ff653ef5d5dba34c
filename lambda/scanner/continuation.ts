import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';

/** Lambda stops a function after about 16 recursive invocations. This many cover some 900,000 secrets. */
const MAX_LEGS = 12;

const continuation = z.object({
  continuation: z.object({
    /** Number of this invocation within its scan, from 1. */
    leg: z.number(),
    nextToken: z.string(),
    /** How many secrets the earlier invocations could not handle, and the reasons for some of them. */
    failed: z.number(),
    reasons: z.array(z.string()),
  }),
});

/** Where a scan that was too long for one invocation continues. */
export type Continuation = z.infer<typeof continuation>['continuation'];

/** The continuation in an event, if it is one. */
export function continuationOf(event: unknown): Continuation | undefined {
  return continuation.safeParse(event).data?.continuation;
}

/**
 * Invokes the Scanner again, to continue its scan.
 *
 * @throws {Error} if the scan took too many invocations already: Lambda would stop it without an error
 */
export async function invokeAgain(client: LambdaClient, functionName: string, next: Continuation): Promise<void> {
  if (next.leg > MAX_LEGS) {
    throw new Error(`After ${MAX_LEGS} invocations the scan is still incomplete: secrets were left out.`);
  }
  const Payload = JSON.stringify({ continuation: next } satisfies z.infer<typeof continuation>);
  await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload }));
}
