import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { Checksum } from '../../docker/checksum.ts';

async function checksumsOf(chunks: readonly Buffer[]) {
  const checksum = new Checksum();
  const passed: Buffer[] = [];
  for await (const chunk of checksum.of(Readable.from(chunks))) {
    passed.push(chunk);
  }
  return { passed: Buffer.concat(passed), ...(await checksum.result()) };
}

test('the CRC64NVME is that of the standard, as S3 writes it', async () => {
  // Check value of the catalogue of CRCs: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
  const { crc64nvme } = await checksumsOf([Buffer.from('12345'), Buffer.from('6789')]);
  expect(Buffer.from(crc64nvme, 'base64').toString('hex')).toBe('ae8b14860a799888');
});

test('bytes pass unchanged, and how they are cut makes no difference', async () => {
  const chunk = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.array(chunk), async (chunks) => {
      const whole = Buffer.concat(chunks);
      const cut = await checksumsOf(chunks);
      expect(cut.passed).toEqual(whole);
      expect(cut.bytes).toBe(whole.length);
      expect(cut.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
      expect(cut.crc64nvme).toBe((await checksumsOf([whole])).crc64nvme);
    }),
  );
});
