import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { awsFailure } from '../aws.ts';
import type { DumpObject } from '../s3/object.ts';

/**
 * Tries whether an object could be made: begins an upload to the very key and aborts it. Of what S3 demands for that
 * (`s3:PutObject`, `kms:GenerateDataKey`, `s3:AbortMultipartUpload`) a dump needs all, and no object comes into being.
 * Both requests are waited for, whatever the signal, so that no upload stays open.
 *
 * @throws {Failure} `tryAgain` or `refused`
 */
export async function tryBucket(s3: S3Client, { bucket, key }: DumpObject, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }));
  } catch (error) {
    // The answer to an earlier try of the same request was lost: the upload is gone, as it should be.
    if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) {
      throw awsFailure(`begin and abort an upload to s3://${bucket}/${key}`, error);
    }
  }
  signal.throwIfAborted();
}
