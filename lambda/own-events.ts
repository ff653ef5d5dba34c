import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contract.ts';

/** PutEvents takes ten at a time. */
const MAX_ENTRIES = 10;

/**
 * Puts AutoDump's own events on the default event bus, for whoever routes them elsewhere. The kind of each is its
 * detail type.
 *
 * @throws {Error} if EventBridge does not take one of them; those before it were taken
 */
export async function putOwnEvents(
  client: EventBridgeClient,
  details: readonly { readonly kind: string }[],
): Promise<void> {
  for (let index = 0; index < details.length; index += MAX_ENTRIES) {
    const Entries = details.slice(index, index + MAX_ENTRIES).map((detail) => ({
      Source: EVENT_SOURCE,
      DetailType: detail.kind,
      Detail: JSON.stringify(detail),
    }));
    const { Entries: results = [] } = await client.send(new PutEventsCommand({ Entries }));
    const refused = results.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused !== undefined) {
      throw new Error(`EventBridge did not take an event: ${refused.ErrorCode ?? ''}: ${refused.ErrorMessage ?? ''}`);
    }
  }
}
