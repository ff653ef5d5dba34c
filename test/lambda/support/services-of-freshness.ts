import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeEach, jest } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import type { Status } from '../../../contract.ts';

export const HOUR = 60 * 60_000;

const MANIFEST = JSON.stringify({
  manifestVersion: 1,
  source: { host: 'orders.example.com', port: 5432, database: 'orders' },
  seconds: { dump: 1, proof: 2, commit: 3 },
  tables: [{ rows: 40 }, { rows: 2 }],
});

/** The same, with rows that were counted in the dump. */
export const COUNTED = JSON.stringify({
  ...(JSON.parse(MANIFEST) as object),
  tables: [{ schema: 'public', name: 'a', rows: 40, provenRows: 40 }],
});

/** Doubles of the services that Freshness calls, with a clock that begins on 20 November 2026 for each test. */
export function useServicesOfFreshness() {
  const log = jest.spyOn(console, 'info').mockImplementation(() => undefined);

  const [secrets, s3, sns] = [mockClient(SecretsManagerClient), mockClient(S3Client), mockClient(SNSClient)];
  const [stepFunctions, eventBridge] = [mockClient(SFNClient), mockClient(EventBridgeClient)];

  /** What the function has stored, and what else there is, by key. */
  const objects = new Map<string, string>();

  /** The metrics that it has written to its log. */
  const metrics = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);

  /** What each other manifest says. */
  let manifest = MANIFEST;

  function serveManifest(text: string): void {
    manifest = text;
  }

  function storedStatus(): Status {
    return JSON.parse(objects.get('status.json') ?? '') as Status;
  }

  beforeEach(() => {
    manifest = MANIFEST;
    metrics.mockClear();
    jest.useFakeTimers({
      now: Date.parse('2026-11-20T00:30:00Z'),
      doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'queueMicrotask'],
    });
    for (const client of [secrets, s3, sns, stepFunctions, eventBridge]) {
      client.reset();
    }
    eventBridge.on(PutEventsCommand).resolves({ Entries: [] });
    objects.clear();
    s3.on(PutObjectCommand).callsFake(({ Key, Body }: { readonly Key: string; readonly Body: string }) => {
      objects.set(Key, Body);
      return {};
    });
    s3.on(GetObjectCommand).callsFake(({ Key }: { readonly Key: string }) => {
      const body = objects.get(Key) ?? (Key.endsWith('.dmp.json') ? manifest : undefined);
      if (body === undefined) {
        throw new NoSuchKey({ message: 'none', $metadata: {} });
      }
      return { Body: { transformToString: () => Promise.resolve(body) } };
    });
    Object.assign(process.env, {
      STATE_MACHINE_ARN: 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump',
      STATE_BUCKET: 'state',
      DUMP_BUCKETS: 'dumps,elsewhere',
      TOPIC_ARN: 'arn:aws:sns:us-west-2:123456789012:topic',
      OVERDUE_AFTER_MINUTES: '120',
      SCAN_INTERVAL_MINUTES: '60',
      SCANNER_NAME: 'Scanner',
      STACK_NAME: 'AutoDump',
    });
  });

  afterAll(() => {
    log.mockRestore();
    metrics.mockRestore();
    jest.useRealTimers();
  });

  return { secrets, s3, sns, stepFunctions, objects, metrics, storedStatus, serveManifest };
}
