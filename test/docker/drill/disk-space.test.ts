import { expect, test } from '@jest/globals';
import { neededSpace, spaceAdvice } from '../../../docker/drill/disk-space.ts';

const GIB = 1024 ** 3;

test.each([
  [0.1 * GIB, 0.2 * GIB, 'ephemeralStorageGiB=21,'],
  [10 * GIB, 50 * GIB, 'ephemeralStorageGiB=64,'],
  [50 * GIB, 200 * GIB, 'It needs about 254 GiB, and Fargate offers at most 200:'],
])('for a dump of %d bytes and a database of %d, the advice is %s', (bytes, databaseBytes, advice) => {
  expect(spaceAdvice(neededSpace({ bytes, databaseBytes }))).toContain(advice);
});
