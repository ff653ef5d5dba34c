import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { partSize } from '../../docker/upload.ts';

const MIB = 1024 * 1024;

/** More than the largest storage of a job on Fargate. */
const LARGEST_FILE = 1024 * 1024 * MIB;

test('no file needs more parts than S3 takes, and no part is smaller than S3 takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LARGEST_FILE }), (bytes) => {
      expect(Math.ceil(bytes / partSize(bytes))).toBeLessThanOrEqual(10_000);
      expect(partSize(bytes)).toBeGreaterThanOrEqual(5 * MIB);
      expect(partSize(bytes) % MIB).toBe(0);
    }),
  );
});

test.each([
  [0, 8],
  [80_000 * MIB, 8],
  [80_000 * MIB + 1, 9],
])('a file of %d bytes goes in parts of %d MiB', (bytes, mib) => {
  expect(partSize(bytes)).toBe(mib * MIB);
});
