import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Status, STATUS_KEY, STATUS_PAGE_KEY } from '../../contract.ts';
import { pageOf } from '../core/status/page.ts';

/** Writes the status, for programs and as a page. */
export async function storeStatus(client: S3Client, bucket: string, status: Status): Promise<void> {
  const put = (Key: string, Body: string, ContentType: string): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType }));
  await put(STATUS_KEY, JSON.stringify(status), 'application/json');
  await put(STATUS_PAGE_KEY, pageOf(status), 'text/html; charset=utf-8');
}
