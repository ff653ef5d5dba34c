import { crc32 } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { combineCrc32 } from '../../../docker/s3/crc32-combine.ts';

test('the CRC32 of two parts is that of their bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (one, other) => {
      expect(combineCrc32(crc32(one), crc32(other), other.length)).toBe(crc32(Buffer.concat([one, other])));
    }),
  );
});

test('what follows may have more bytes than fit into 32 bits', () => {
  const block = Buffer.alloc(2 ** 20, 'block');
  const doubled = (crc: number, times: number, bytes: number): number =>
    times === 0 ? crc : doubled(combineCrc32(crc, crc, bytes), times - 1, bytes * 2);
  let sum = crc32(block);
  for (let size = 1; size < 2 ** 5; size += 1) {
    sum = crc32(block, sum);
  }
  expect(doubled(crc32(block), 5, block.length)).toBe(sum);
  const large = doubled(crc32(block), 13, block.length);
  const eight = 2 ** 33;
  expect(combineCrc32(0, large, eight)).toBe(large);
  expect(combineCrc32(combineCrc32(1, large, eight), large, eight)).toBe(
    combineCrc32(1, combineCrc32(large, large, eight), eight * 2),
  );
});
