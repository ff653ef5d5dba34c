import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import { S3Error } from './response.ts';

interface Checksum {
  update(data: Uint8Array): void;
  digest(): Promise<Uint8Array>;
}

/** The supported checksums, by their names in S3's headers. */
export const CHECKSUMS = {
  md5: () => hash('md5'),
  sha1: () => hash('sha1'),
  sha256: () => hash('sha256'),
  crc32: (): Checksum => {
    let value = 0;
    return {
      update: (data) => {
        value = crc32(data, value);
      },
      digest: () => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(value);
        return Promise.resolve(bytes);
      },
    };
  },
  crc64nvme: (): Checksum => new Crc64Nvme(),
} as const satisfies Readonly<Record<string, () => Checksum>>;

export type Algorithm = keyof typeof CHECKSUMS;

/** S3 computes it for objects that come without a checksum. */
const DEFAULT_ALGORITHM: Algorithm = 'crc64nvme';

const CHECKSUM_HEADER = /^x-amz-checksum-(?!algorithm$|mode$|type$)(.+)$/;

/** The checksums that headers or trailers contain, in base64. @throws {S3Error} NotImplemented */
export function checksumsIn(headers: IncomingHttpHeaders): readonly (readonly [Algorithm, string])[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = name === 'content-md5' ? 'md5' : CHECKSUM_HEADER.exec(name)?.[1];
    return algorithm === undefined || typeof value !== 'string' ? [] : [[supported(algorithm), value] as const];
  });
}

/** The algorithm of the checksum in the trailer that headers announce. @throws {S3Error} NotImplemented */
export function trailerAlgorithm(headers: IncomingHttpHeaders): Algorithm | undefined {
  const trailer = headers['x-amz-trailer'];
  const algorithm = typeof trailer === 'string' ? CHECKSUM_HEADER.exec(trailer)?.[1] : undefined;
  return algorithm === undefined ? undefined : supported(algorithm);
}

/**
 * The algorithm of the checksum that S3 keeps with an object: the one the uploader chose.
 *
 * @param headers of PutObject or CreateMultipartUpload
 * @throws {S3Error} NotImplemented
 */
export function objectAlgorithm(headers: IncomingHttpHeaders): Algorithm {
  const chosen = headers['x-amz-checksum-algorithm'];
  if (typeof chosen === 'string') {
    return supported(chosen.toLowerCase());
  }
  const [sent] = checksumsIn(headers).find(([algorithm]) => algorithm !== 'md5') ?? [];
  return sent ?? trailerAlgorithm(headers) ?? DEFAULT_ALGORITHM;
}

function hash(name: string): Checksum {
  const running = createHash(name);
  return { update: (data) => running.update(data), digest: () => Promise.resolve(running.digest()) };
}

function supported(name: string): Algorithm {
  const algorithm = (Object.keys(CHECKSUMS) as Algorithm[]).find((known) => known === name);
  if (algorithm === undefined) {
    throw new S3Error(501, 'NotImplemented', `The checksum algorithm ${name} is not implemented.`);
  }
  return algorithm;
}
