import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_PARTS, partSize, SMALLEST_PART } from '../../../../docker/s3/part/part-size.ts';

const MIB = 1024 * 1024;

/** S3's limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGEST_OBJECT = 50e12;
const LARGEST_PART = 5 * 1024 * MIB;

test('the parts suffice for the largest object, however wrong the estimate is', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 14, noNaN: true }), (power) => {
      const estimate = Math.floor(10 ** power);
      let bytes = SMALLEST_PART;
      const sizes = Array.from({ length: MAX_PARTS - 1 }, () => {
        const size = partSize(bytes, estimate);
        bytes += size;
        return size;
      });
      expect(sizes.filter((size) => size < 5 * MIB || size > LARGEST_PART || size % MIB !== 0)).toEqual([]);
      expect(bytes).toBeGreaterThan(LARGEST_OBJECT);
    }),
    { numRuns: 30 },
  );
});

test.each([
  [8 * MIB, 0, 8],
  [8 * MIB, 3200 * MIB, 8],
  [8 * MIB, 100_000 * MIB, 250],
  [99_999 * MIB, 100_000 * MIB, 250],
  [100_000 * MIB, 100_000 * MIB, 1563],
  [1e13, 1e9, 5 * 1024],
])('the part that begins at byte %d of a dump estimated at %d bytes has %d MiB', (from, estimate, mib) => {
  expect(partSize(from, estimate)).toBe(mib * MIB);
});
