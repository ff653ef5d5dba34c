import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checksumsOf, Cuts } from '../../../docker/s3/checksum.ts';
import { combine, crc64nvme, inBase64 } from '../../../docker/s3/crc64nvme.ts';

/** What the SDK of AWS makes of the bytes. */
async function ofAws(bytes: Uint8Array): Promise<string> {
  const crc = new Crc64Nvme();
  crc.update(bytes);
  return Buffer.from(await crc.digest()).toString('base64');
}

const bytes = fc.uint8Array({ maxLength: 300 });

describe('the CRC64NVME', () => {
  test('is that of the standard', () => {
    // Check value of the catalogue of CRCs: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
    expect(crc64nvme(Buffer.from('123456789'))).toBe(0xae8b14860a799888n);
  });

  test('is that of the SDK, for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (some) => {
        expect(inBase64(crc64nvme(some))).toBe(await ofAws(some));
      }),
    );
  });

  test.each([0, 1, 15, 16, 17, 262_143, 262_144, 262_145, 1_000_003])(
    'is that of the SDK, for %d bytes',
    async (length) => {
      const some = Uint8Array.from({ length }, (_, index) => (index * 2_654_435_761) >>> 13);
      expect(inBase64(crc64nvme(some))).toBe(await ofAws(some));
    },
  );

  test('goes on where it stopped', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        expect(crc64nvme(other, crc64nvme(one))).toBe(crc64nvme(Buffer.concat([one, other])));
      }),
    );
  });

  test('of two pieces is that of both together', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        expect(combine(crc64nvme(one), crc64nvme(other), other.length)).toBe(crc64nvme(Buffer.concat([one, other])));
      }),
    );
  });

  test('of two pieces is that of both together, however long', () => {
    const zeros = (length: number) => crc64nvme(new Uint8Array(length));
    const half = 3_000_001;
    expect(combine(zeros(half), zeros(half), half)).toBe(zeros(2 * half));
  });
});

test('segments lie where they are asked for, however the bytes come, and their checksums make that of the whole', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some)));
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 50 }), async (cut, size) => {
      const cuts = new Cuts((from) => from + size);
      const closed = [...cut.flatMap((chunk) => cuts.cut(chunk)), cuts.close()].filter(
        (segment) => segment !== undefined,
      );
      const whole = Buffer.concat(cut);
      expect(closed).toEqual(cuts.segments);
      expect(closed).toEqual(
        Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => {
          const [from, to] = [index * size, Math.min((index + 1) * size, whole.length)];
          return { from, to, crc: crc64nvme(whole.subarray(from, to)) };
        }),
      );
      expect(checksumsOf(cuts.segments, 'x')).toEqual({
        bytes: whole.length,
        sha256: 'x',
        crc64nvme: await ofAws(whole),
      });
    }),
  );
});
