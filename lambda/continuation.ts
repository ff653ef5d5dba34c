import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';

/** Lambda stops a function that invokes itself about 16 times in a row. This many legs reach some 900,000 secrets. */
const MOST_LEGS = 12;

const continuation = z.object({
  continuation: z.object({
    /** Number of this invocation among those of one scan, the first being 1. */
    leg: z.number(),
    nextToken: z.string(),
    /** How many secrets the legs before could not handle, and why, for some. */
    failed: z.number(),
    reasons: z.array(z.string()),
  }),
});

/** Where a scan goes on that was too long for one invocation. */
export type Continuation = z.infer<typeof continuation>['continuation'];

/** Where the event tells a scan to go on, if it does. */
export function continuationOf(event: unknown): Continuation | undefined {
  return continuation.safeParse(event).data?.continuation;
}

/**
 * Invokes this very function to go on.
 *
 * @throws {Error} if the scan has gone on too often: it would be stopped half-way, and nobody told
 */
export async function goOn(client: LambdaClient, functionName: string, to: Continuation): Promise<void> {
  if (to.leg > MOST_LEGS) {
    throw new Error(`After ${MOST_LEGS} invocations the scan is not at its end: secrets were left out.`);
  }
  const Payload = JSON.stringify({ continuation: to } satisfies z.infer<typeof continuation>);
  await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload }));
}
