import { crc32 } from 'node:zlib';
import { Crc32Js } from '@aws-sdk/checksums/crc';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checksumsOf, crc32InBase64, Segmenter } from '../../../docker/s3/checksum.ts';

/** The checksum that the AWS SDK calculates. */
async function ofSdk(bytes: Uint8Array): Promise<string> {
  const crc = new Crc32Js();
  crc.update(bytes);
  return Buffer.from(await crc.digest()).toString('base64');
}

describe('the CRC32', () => {
  test('is the standard one', () => {
    // Check value of the CRC catalogue: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
    expect(crc32InBase64(crc32('123456789'))).toBe(Buffer.from('cbf43926', 'hex').toString('base64'));
  });

  test('is that of the SDK, for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(crc32InBase64(crc32(bytes))).toBe(await ofSdk(bytes));
      }),
    );
  });
});

test('segments are where requested, however the bytes are divided into chunks, and yield the checksums of the whole', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 50 }), async (divided, size) => {
      const segmenter = new Segmenter((from) => from + size);
      const closed = [...divided.flatMap((chunk) => segmenter.add(chunk)), segmenter.close()].filter(
        (segment) => segment !== undefined,
      );
      const whole = Buffer.concat(divided);
      expect(closed).toEqual(segmenter.segments);
      expect(closed).toEqual(
        Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => {
          const [from, to] = [index * size, Math.min((index + 1) * size, whole.length)];
          return { from, to, crc32: crc32(whole.subarray(from, to)), prefixCrc32: crc32(whole.subarray(0, to)) };
        }),
      );
      expect(checksumsOf(segmenter.segments, 'x')).toEqual({
        bytes: whole.length,
        sha256: 'x',
        crc32: await ofSdk(whole),
      });
    }),
  );
});
