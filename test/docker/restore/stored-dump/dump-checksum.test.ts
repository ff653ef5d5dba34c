import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { type ChecksumAlgorithm, startChecksum } from '../../../../docker/restore/stored-dump/dump-checksum.ts';

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

// Check values of the CRC catalogue: https://reveng.sourceforge.io/crc-catalogue/17plus.htm
test.each<[ChecksumAlgorithm, string]>([
  ['SHA-256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ['CRC32', base64('cbf43926')],
  ['CRC64NVME', base64('ae8b14860a799888')],
])('the %s of a dump is the standard one', async (algorithm, expected) => {
  const checksum = startChecksum({ algorithm });
  checksum.update(Buffer.from('1234'));
  checksum.update(Buffer.from('56789'));
  expect(await checksum.digest()).toBe(expected);
});

test.each([[[3, 4, 2]], [[3, 4, 1]]])(
  'of a dump with sections, each has a SHA-256, the last up to the end: %p',
  async (sections) => {
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const checksum = startChecksum({ algorithm: 'SHA-256', sections });
    for (const piece of ['1', '2345', '6789']) {
      checksum.update(Buffer.from(piece));
    }
    expect(await checksum.digest()).toBe(['123', '4567', '89'].map(sha256).join(','));
  },
);
