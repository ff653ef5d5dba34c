import { z } from 'zod';

/** An event that a function put on the bus. */
export interface SentEvent {
  readonly type: string;
  readonly detail: unknown;
}

const publishSchema = z.object({ Message: z.string() });
const putEventsSchema = z.object({ Entries: z.array(z.object({ DetailType: z.string(), Detail: z.string() })) });

/** The message that a function publishes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export function sentMessage(request: unknown): string {
  return publishSchema.parse(request).Message;
}

/**
 * The events that a function puts on the bus:
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export function sentEvents(request: unknown): readonly SentEvent[] {
  const { Entries } = putEventsSchema.parse(request);
  return Entries.map(({ DetailType, Detail }) => ({ type: DetailType, detail: JSON.parse(Detail) as unknown }));
}
