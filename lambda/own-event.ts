import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contract.ts';

/**
 * Puts one of AutoDump's own events on the default event bus, for whoever routes them elsewhere.
 *
 * @throws {Error} if EventBridge does not take it
 */
export async function putOwnEvent(client: EventBridgeClient, type: string, detail: object): Promise<void> {
  const entry = { Source: EVENT_SOURCE, DetailType: type, Detail: JSON.stringify(detail) };
  const { Entries: [{ ErrorCode, ErrorMessage } = {}] = [] } = await client.send(
    new PutEventsCommand({ Entries: [entry] }),
  );
  if (ErrorCode !== undefined) {
    throw new Error(`EventBridge did not take the event: ${ErrorCode}: ${ErrorMessage ?? ''}`);
  }
}
