import { GetObjectTaggingCommand, S3Client } from '@aws-sdk/client-s3';
import { BUCKET, type Stage } from './stage.ts';

/** By which lifecycle rule an object expires. */
export async function retentionOf({ s3 }: Stage, Key: string): Promise<string | undefined> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    forcePathStyle: true,
    region: 'us-west-2',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  try {
    const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }));
    return TagSet.find((tag) => tag.Key === 'autodump:retention')?.Value;
  } finally {
    client.destroy();
  }
}
