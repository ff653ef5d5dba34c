import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/checksums/crc';
import { S3Error } from './message.ts';

/** The checksums known here, by the name that S3's headers use. Values are base64, as in these headers. */
const ALGORITHMS = {
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
} as const;

export type Algorithm = keyof typeof ALGORITHMS;

interface Checksum {
  update(data: Uint8Array): void;
  digest(): Promise<Uint8Array>;
}

export interface Received {
  readonly size: number;
  /** Base64. */
  readonly checksums: Readonly<Partial<Record<Algorithm, string>>>;
}

/**
 * Writes the body of an upload to a file and compares it with every checksum that came with it, be it in front or
 * behind (a body in the coding `aws-chunked`).
 *
 * @param also checksums to work out besides those that came with the body
 * @throws {S3Error} BadDigest if the body is not what the sender meant to send
 */
export async function receive(request: IncomingMessage, file: string, also: readonly Algorithm[]): Promise<Received> {
  const trailers: Record<string, string> = {};
  // The request outlives a failing file: it is still to be answered with the reason.
  const sent = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const body = isChunked(request.headers) ? unchunk(sent, trailers) : sent;
  const wanted = [...new Set([...also, ...announced(request.headers)])];
  const received = await store(body, file, wanted);
  for (const [algorithm, value] of expected({ ...request.headers, ...trailers })) {
    if (received.checksums[algorithm] !== value) {
      throw new S3Error(400, 'BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  }
  return received;
}

/** Writes `body` to a file, with checksums on the way. */
export async function store(
  body: AsyncIterable<Uint8Array>,
  file: string,
  algorithms: readonly Algorithm[],
): Promise<Received> {
  const running = algorithms.map((algorithm) => ({ algorithm, checksum: ALGORITHMS[algorithm]() }));
  let size = 0;
  await pipeline(
    body,
    async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        size += chunk.length;
        for (const { checksum } of running) {
          checksum.update(chunk);
        }
        yield chunk;
      }
    },
    createWriteStream(file, { flags: 'wx' }),
  );
  const values = await Promise.all(
    running.map(async ({ algorithm, checksum }) => [algorithm, base64(await checksum.digest())] as const),
  );
  return { size, checksums: Object.fromEntries(values) };
}

/** The value of the full-object checksum that came with a request, if any. */
export function crc64nvmeOf(headers: IncomingHttpHeaders): string | undefined {
  return expected(headers).find(([algorithm]) => algorithm === 'crc64nvme')?.[1];
}

function hash(name: string): Checksum {
  const running = createHash(name);
  return { update: (data) => running.update(data), digest: () => Promise.resolve(running.digest()) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

const CHECKSUM_HEADER = /^x-amz-checksum-(?!algorithm$|mode$|type$)(.+)$/;

function expected(headers: IncomingHttpHeaders): (readonly [Algorithm, string])[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = name === 'content-md5' ? 'md5' : CHECKSUM_HEADER.exec(name)?.[1];
    return algorithm === undefined || typeof value !== 'string' ? [] : [[known(algorithm), value] as const];
  });
}

function announced(headers: IncomingHttpHeaders): Algorithm[] {
  const trailer = headers['x-amz-trailer'];
  const behind = typeof trailer === 'string' ? CHECKSUM_HEADER.exec(trailer)?.[1] : undefined;
  return [...expected(headers).map(([algorithm]) => algorithm), ...(behind === undefined ? [] : [known(behind)])];
}

function known(algorithm: string): Algorithm {
  const match = (Object.keys(ALGORITHMS) as Algorithm[]).find((name) => name === algorithm);
  if (match === undefined) {
    throw new S3Error(501, 'NotImplemented', `The checksum ${algorithm} is not served here.`);
  }
  return match;
}

function isChunked(headers: IncomingHttpHeaders): boolean {
  return headers['content-encoding']?.split(',').some((coding) => coding.trim() === 'aws-chunked') ?? false;
}

/**
 * Takes the coding `aws-chunked` off a body: chunks, each behind a line with its size in hexadecimal, then trailing
 * headers. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
async function* unchunk(body: AsyncIterable<Buffer>, trailers: Record<string, string>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  /** Of the current chunk; undefined while its first line is awaited. */
  let missing: number | undefined;
  let ended = false;
  for await (const piece of body) {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      if (missing !== undefined && missing > 0) {
        const data = rest.subarray(0, missing);
        if (data.length === 0) {
          break;
        }
        yield data;
        missing -= data.length;
        rest = rest.subarray(data.length);
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end < 0) {
        break;
      }
      const line = rest.toString('latin1', 0, end);
      rest = rest.subarray(end + 2);
      if (missing === 0) {
        missing = undefined;
      } else if (ended) {
        const [name, value] = line.split(':', 2);
        if (name && value !== undefined) {
          trailers[name.toLowerCase()] = value.trim();
        }
      } else {
        const size = Number.parseInt(line, 16);
        if (Number.isNaN(size)) {
          throw new S3Error(400, 'InvalidRequest', 'The body is not in aws-chunked form.');
        }
        if (size === 0) {
          ended = true;
        } else {
          missing = size;
        }
      }
    }
  }
  if (!ended) {
    throw new S3Error(400, 'IncompleteBody', 'The body ended before its last chunk.');
  }
}
