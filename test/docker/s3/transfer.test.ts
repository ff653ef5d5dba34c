import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { openS3 } from '../../../docker/aws.ts';
import { MAX_PARTS } from '../../../docker/s3/part/part-size.ts';
import type { Part } from '../../../docker/s3/part/part.ts';
import { Transfer } from '../../../docker/s3/transfer.ts';

const discarded: Part[] = [];

function partOf(bytes: number): Part {
  const part: Part = {
    bytes,
    crc32: 0,
    open: () => Readable.from([Buffer.alloc(bytes)]),
    discard: () => {
      discarded.push(part);
      return Promise.resolve();
    },
  };
  return part;
}

const client = mockClient(S3Client);

/** An S3 whose uploads of parts end one by one, whenever `endOne` is called. */
async function start() {
  const uploads: (() => void)[] = [];
  client.reset();
  client.on(CreateMultipartUploadCommand).resolves({ UploadId: 'id' });
  client.on(UploadPartCommand).callsFake(
    () =>
      new Promise((resolve) => {
        uploads.push(() => {
          resolve({ ETag: '"e"' });
        });
      }),
  );
  const controller = new AbortController();
  const s3 = openS3('us-west-2');
  // The first time, this reads the configuration file, which takes any number of turns.
  await s3.config.maxAttempts();
  const target = { s3, object: { bucket: 'dumps', key: 'key' }, job: undefined, signal: controller.signal };
  const transfer = new Transfer(target, (error) => {
    controller.abort(error);
  });
  const endOne = () => uploads.shift()?.();
  return { transfer, uploads, endOne };
}

/** Lets everything proceed that does not wait for an upload. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await setImmediate();
  }
}

test('at most four parts are sent concurrently, and there is room only for a part that would be sent immediately', async () => {
  const { transfer, uploads, endOne } = await start();
  for (let count = 0; count < 6; count += 1) {
    transfer.add(partOf(10));
  }
  let hasRoom = false;
  const room = transfer.room().then(() => (hasRoom = true));
  await settle();
  expect(uploads).toHaveLength(4);
  for (let ended = 0; ended < 2; ended += 1) {
    endOne();
    await settle();
    expect(uploads).toHaveLength(4);
    expect(hasRoom).toBe(false);
  }
  endOne();
  await room;
  expect(transfer.bytes).toBe(30);
  expect(discarded).toHaveLength(3);
});

test('the parts of a finished transfer are in order, the first included', async () => {
  const { transfer, endOne } = await start();
  transfer.add(partOf(10));
  transfer.add(partOf(10));
  const finished = transfer.finish(partOf(10));
  for (let count = 0; count < 3; count += 1) {
    await settle();
    endOne();
  }
  expect(await finished).toEqual({
    id: 'id',
    parts: [1, 2, 3].map((number) => ({ number, etag: '"e"' })),
  });
});

test('a single part needs no multipart upload', async () => {
  const { transfer } = await start();
  expect(await transfer.finish(partOf(10))).toBeUndefined();
  expect(client.calls()).toHaveLength(0);
});

test('more parts than S3 allows are refused', async () => {
  const { transfer } = await start();
  for (let count = 1; count < MAX_PARTS; count += 1) {
    transfer.add(partOf(1));
  }
  expect(() => {
    transfer.add(partOf(1));
  }).toThrow('needs more than the 10000 parts');
  await settle();
});
