import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { putOwnEvents } from '../../lambda/own-events.ts';

const eventBridge = mockClient(EventBridgeClient);

beforeEach(() => {
  eventBridge.reset();
  eventBridge.on(PutEventsCommand).resolves({ Entries: [] });
});

describe('own events', () => {
  test('are put ten at a time', async () => {
    const details = Array.from({ length: 21 }, (_, index) => ({ kind: 'overdue', index }));
    await putOwnEvents(new EventBridgeClient(), details);
    const calls = eventBridge.commandCalls(PutEventsCommand).map(({ args: [{ input }] }) => input.Entries?.length);
    expect(calls).toEqual([10, 10, 1]);
  });

  test('that EventBridge does not take fail', async () => {
    const Entries = [{ EventId: '1' }, { ErrorCode: 'InternalFailure', ErrorMessage: 'try later' }];
    eventBridge.on(PutEventsCommand).resolves({ Entries });
    await expect(putOwnEvents(new EventBridgeClient(), [{ kind: 'late' }, { kind: 'late' }])).rejects.toThrow(
      'EventBridge did not take an event: InternalFailure: try later',
    );
  });
});
