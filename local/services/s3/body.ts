import { createWriteStream } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { decodeAwsChunked } from './aws-chunked.ts';
import { type Algorithm, CHECKSUMS, checksumsIn, trailerAlgorithm } from './checksum.ts';
import { S3Error } from './response.ts';

/** A body that was written to a file. */
export interface WrittenBody {
  readonly size: number;
  /** Of the algorithms asked for only. */
  readonly digests: Readonly<Record<Algorithm, Buffer>>;
}

/**
 * Writes the body of an upload to a new file and verifies every checksum that came with it, in a header or a trailer.
 *
 * @param algorithms checksums to compute in addition to those that came with the body
 * @throws {S3Error} BadDigest if a checksum is not that of the body
 */
export async function receive(
  request: IncomingMessage,
  file: string,
  algorithms: readonly Algorithm[],
): Promise<WrittenBody> {
  const { headers } = request;
  const trailers: Record<string, string> = {};
  // A request whose file fails must stay open, as it still has to be answered with the reason.
  const source = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const body = isAwsChunked(headers) ? decodeAwsChunked(source, trailers) : source;
  const trailer = trailerAlgorithm(headers);
  const sent = [...checksumsIn(headers).map(([algorithm]) => algorithm), ...(trailer === undefined ? [] : [trailer])];
  const written = await writeBody(body, file, [...new Set([...algorithms, ...sent])]);
  verify({ ...headers, ...trailers }, (algorithm) => written.digests[algorithm].toString('base64'));
  return written;
}

/** Writes a body to a new file and computes its checksums. */
export async function writeBody(
  body: AsyncIterable<Uint8Array>,
  file: string,
  algorithms: readonly Algorithm[],
): Promise<WrittenBody> {
  const checksums = algorithms.map((algorithm) => ({ algorithm, checksum: CHECKSUMS[algorithm]() }));
  let size = 0;
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        for (const { checksum } of checksums) {
          checksum.update(chunk);
        }
        yield chunk;
      }
    },
    createWriteStream(file, { flags: 'wx' }),
  );
  const digests = await Promise.all(
    checksums.map(async ({ algorithm, checksum }) => [algorithm, Buffer.from(await checksum.digest())] as const),
  );
  return { size, digests: Object.fromEntries(digests) as Record<Algorithm, Buffer> };
}

/**
 * Compares the checksums in headers with the actual ones.
 *
 * @param actual base64, by algorithm; undefined if there is none
 * @throws {S3Error} BadDigest
 */
export function verify(headers: IncomingHttpHeaders, actual: (algorithm: Algorithm) => string | undefined): void {
  for (const [algorithm, value] of checksumsIn(headers)) {
    if (actual(algorithm) !== value) {
      const name = algorithm.toUpperCase();
      throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
    }
  }
}

function isAwsChunked(headers: IncomingHttpHeaders): boolean {
  return headers['content-encoding']?.split(',').some((encoding) => encoding.trim() === 'aws-chunked') ?? false;
}
