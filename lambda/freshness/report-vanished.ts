import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { PutObjectTaggingCommand, type S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import { KEPT, RETENTION_TAG } from '../../contract.ts';
import type { StoredDump } from '../core/freshness/dump-key.ts';
import { vanishedMessage, vanishedNews, type VanishedNews, type VanishedRows } from '../core/vanished/message.ts';
import { putOwnEvents } from '../own-events.ts';

export interface Reporting {
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly eventBridge: EventBridgeClient;
  readonly topicArn: string;
  /** The stack's own bucket, whose lifecycle rules go by the tag. */
  readonly bucket: string;
}

/** Keeps the dumps that still have rows which vanished, and reports them, all in one message. */
export async function reportVanished(vanished: readonly VanishedRows[], reporting: Reporting): Promise<void> {
  if (vanished.length === 0) {
    return;
  }
  const { sns, eventBridge, topicArn: TopicArn } = reporting;
  const news: VanishedNews[] = [];
  for (const rows of vanished) {
    const one = vanishedNews(rows, await keep(rows.earlier, reporting));
    console.info(one);
    news.push(one);
  }
  const { region, accountId: account } = parse(TopicArn);
  const { subject, text } = vanishedMessage(news, { region, account });
  await sns.send(new PublishCommand({ TopicArn, Subject: subject, Message: text }));
  await putOwnEvents(eventBridge, news);
}

/**
 * Keeps a dump and its manifest from expiry.
 *
 * @returns why not, if it cannot; the message says so
 */
async function keep(dump: StoredDump, { s3, bucket }: Reporting): Promise<string | undefined> {
  if (dump.bucket !== bucket) {
    return `Its bucket ${dump.bucket} is not the stack's, and expires it as its own lifecycle rules say.`;
  }
  try {
    for (const Key of [dump.key, `${dump.key}.json`]) {
      const Tagging = { TagSet: [{ Key: RETENTION_TAG, Value: KEPT }] };
      await s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key, Tagging }));
    }
    return undefined;
  } catch (error) {
    console.error(`s3://${dump.bucket}/${dump.key}: ${String(error)}`);
    return `S3 did not take the tag that keeps it: ${String(error)}`;
  }
}
