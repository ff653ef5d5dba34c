import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A part that S3 has received. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}

/** The ETag of an object that was sent in one request and is not encrypted with a KMS key: the MD5 of its bytes. */
export async function etagOfBytes(bytes: Readable): Promise<string> {
  const hash = createHash('md5');
  await pipeline(bytes, hash);
  return `"${hash.digest('hex')}"`;
}

/**
 * The ETag of an object that was uploaded in parts: the MD5 of the MD5s of the parts. Not valid with a KMS key,
 * where the ETag of a part is not its MD5.
 */
export function etagOfParts(parts: readonly UploadedPart[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) {
    hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'));
  }
  return `"${hash.digest('hex')}-${parts.length}"`;
}
