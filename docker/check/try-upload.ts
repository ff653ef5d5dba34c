import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { awsFailure, foreignResponse } from '../aws.ts';
import { type DumpObject, taggingOf } from '../s3/object.ts';

/**
 * Tests write access by creating a multipart upload to the dump's key and aborting it. This requires exactly the
 * permissions that a dump needs (`s3:PutObject`, `s3:PutObjectTagging` if it has a tag, `kms:GenerateDataKey`,
 * `s3:AbortMultipartUpload`), and creates no object. Both requests are completed even if the signal aborts, so that no
 * upload stays open.
 *
 * @throws {Failure} `tryAgain` or `refused`
 */
export async function tryUpload(s3: S3Client, object: DumpObject, signal: AbortSignal): Promise<void> {
  const { bucket, key } = object;
  signal.throwIfAborted();
  try {
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        Tagging: taggingOf(object),
        StorageClass: object.storageClass,
      }),
    );
    if (UploadId === undefined) {
      throw foreignResponse(`begin an upload to s3://${bucket}/${key}`);
    }
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }));
  } catch (error) {
    // The response to an earlier attempt of the same request was lost: the upload is already aborted.
    if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) {
      throw awsFailure(`create and abort an upload to s3://${bucket}/${key}`, error);
    }
  }
  signal.throwIfAborted();
}
