import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Part } from './part.ts';

/** A part that S3 has. */
export interface Sent {
  readonly number: number;
  readonly etag: string;
}

/** The ETag of an object that is sent in one request, and not encrypted with a key of KMS. */
export async function etagOfOne(part: Part): Promise<string> {
  const hash = createHash('md5');
  await pipeline(part.open(), hash);
  return `"${hash.digest('hex')}"`;
}

/**
 * The ETag of an object made of parts: MD5 of the MD5s of the parts. With a key of KMS the ETags of parts are something
 * else, and so is this.
 */
export function etagOfParts(sent: readonly Sent[]): string {
  const hash = createHash('md5');
  for (const { etag } of sent) {
    hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'));
  }
  return `"${hash.digest('hex')}-${sent.length}"`;
}
