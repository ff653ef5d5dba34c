/** `copy.ts PATH` uploads a file, or all of a folder, without checks, to the S3 of AWS_ENDPOINT_URL_S3. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [, , path = ''] = process.argv;
const isFolder = (await stat(path)).isDirectory();
const files = isFolder ? (await readdir(path)).map((name) => join(path, name)) : [path];
const client = new S3Client({ region: 'us-west-2', forcePathStyle: true });
for (const file of files) {
  await new Upload({ client, params: { Bucket: 'dumps', Key: 'dump', Body: createReadStream(file) } }).done();
}
