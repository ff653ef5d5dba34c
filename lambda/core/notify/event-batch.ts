import * as z from 'zod/mini';
import { parsedJson } from '../parsed-json.ts';

/** An event that came by way of the queue. */
export interface QueuedEvent {
  readonly messageId: string;
  /** Undefined if it is not JSON. */
  readonly event: unknown;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
const schema = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/** @throws {Error} if it is not a batch of messages of SQS */
export function eventsIn(batch: unknown): readonly QueuedEvent[] {
  return schema.parse(batch).Records.map(({ messageId, body }) => ({ messageId, event: parsedJson(body) }));
}

/** Result of a function that handles batches of SQS: the messages that are to come again. */
export interface BatchResult {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
