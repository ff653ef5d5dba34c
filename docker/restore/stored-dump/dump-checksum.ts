import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import { crc32InBase64 } from '../../s3/checksum.ts';

/** `CRC64NVME` is what earlier versions sent to S3. A recovered manifest of theirs contains no SHA-256. */
export type ChecksumAlgorithm = 'SHA-256' | 'CRC32' | 'CRC64NVME';

/** The strongest checksum that is known of a dump. */
export interface DumpChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /**
   * In the form of the manifest: hexadecimal for SHA-256, with commas between those of several sections, base64 for the
   * others.
   */
  readonly value: string;
  /** Bytes of the sections that have a SHA-256 each. @default - the whole dump has one */
  readonly sections?: readonly number[];
}

interface RunningChecksum {
  update(bytes: Buffer): void;
  /** In the form of {@link DumpChecksum.value}. */
  digest(): Promise<string>;
}

export function startChecksum({ algorithm, sections }: Omit<DumpChecksum, 'value'>): RunningChecksum {
  switch (algorithm) {
    case 'SHA-256':
      return sha256Of(sections ?? []);
    case 'CRC32': {
      let value = 0;
      return {
        update: (bytes) => {
          value = crc32(bytes, value);
        },
        digest: () => Promise.resolve(crc32InBase64(value)),
      };
    }
    case 'CRC64NVME': {
      const crc = new Crc64Nvme();
      return {
        update: (bytes) => {
          crc.update(bytes);
        },
        digest: async () => Buffer.from(await crc.digest()).toString('base64'),
      };
    }
  }
}

/** @param sections their bytes; what follows the last one counts as a part of it, so that no byte is left out */
function sha256Of(sections: readonly number[]): RunningChecksum {
  const hashes = [...sections.slice(0, -1), Infinity].map((bytes) => ({ hash: createHash('sha256'), left: bytes }));
  return {
    update: (bytes) => {
      let rest = bytes;
      for (const each of hashes) {
        const piece = rest.subarray(0, each.left);
        each.hash.update(piece);
        each.left -= piece.length;
        rest = rest.subarray(piece.length);
      }
    },
    digest: () => Promise.resolve(hashes.map(({ hash }) => hash.digest('hex')).join()),
  };
}
