import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findDump } from '../../local/dump-file.ts';
import { type S3Server, startS3 } from '../../local/services/s3/s3.ts';
import { tempFoldersOfFile } from '../support/temp-folder.ts';

const newFolder = tempFoldersOfFile();

let server: S3Server;
let s3: S3Client;
let folder: string;

beforeAll(async () => {
  folder = newFolder();
  server = await startS3({ directory: folder });
  await server.createBucket('dumps');
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  s3 = new S3Client({ region: 'us-west-2', endpoint: server.endpoint, forcePathStyle: true, credentials });
});

afterAll(async () => {
  s3.destroy();
  await server.stop();
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const section = (text: string) => ({ bytes: text.length, sha256: sha256(text) });

/** Stores a dump with a manifest whose proof has these fields, and finds it. */
async function found(secret: string, proof: object): Promise<string> {
  const key = `${secret}/app-20261122T080000Z.dmp`;
  const manifest = {
    scheduledFor: '2026-11-22T08:00:00Z',
    dump: { client: 'pg_dump 18.7' },
    object: { bucket: 'dumps', key },
    proof: { bytes: 8, sha256: null, verified: true, method: 'Read.', ...proof },
  };
  await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: key, Body: 'headdata' }));
  await s3.send(new PutObjectCommand({ Bucket: 'dumps', Key: `${key}.json`, Body: JSON.stringify(manifest) }));
  const world = { s3, fileOf: (bucket: string, name: string) => join(folder, bucket, name) };
  return (await findDump(world, 'dumps', secret, [])).proof;
}

test.each([
  ['as a whole', { sha256: sha256('headdata') }, 'Read. The SHA-256 of the file matches.'],
  ['in sections', { sections: [section('head'), section('data')] }, 'Read. The SHA-256 of the file matches.'],
  ['nowhere', {}, 'Read.'],
])('the file of a dump that is hashed %s is as it was proven', async (name, proof, expected) => {
  expect(await found(name, proof)).toBe(expected);
});

test.each([
  ['another whole', { sha256: sha256('headDATA') }],
  ['another section', { sections: [section('head'), section('DATA')] }],
  ['bytes in no section', { sections: [section('head'), section('dat')] }],
  ['another length', { bytes: 9 }],
])('the file of a dump that has %s is reported', async (name, proof) => {
  await expect(found(name, proof)).rejects.toThrow('does not match its manifest');
});
