/** `copy.ts FILE` uploads a dump as the predecessor does, without checks, to the S3 of AWS_ENDPOINT_URL_S3. */
import { createReadStream } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [, , file = ''] = process.argv;
const client = new S3Client({ region: 'us-west-2', forcePathStyle: true });
await new Upload({ client, params: { Bucket: 'dumps', Key: 'dump', Body: createReadStream(file) } }).done();
