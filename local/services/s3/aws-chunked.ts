import { S3Error } from './response.ts';

/**
 * Decodes the encoding `aws-chunked`: chunks, each after a line with its size in hexadecimal, then trailing headers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * @param trailers receives the trailing headers, in lower case
 * @throws {S3Error} InvalidRequest, IncompleteBody
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Buffer>,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer, void, undefined> {
  const reader = new Reader(body);
  for (;;) {
    const size = Number.parseInt(await reader.line(), 16);
    if (Number.isNaN(size)) {
      throw new S3Error(400, 'InvalidRequest', 'The body is not encoded as aws-chunked.');
    }
    if (size === 0) {
      break;
    }
    yield* reader.bytes(size);
    await reader.line();
  }
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const [name = '', value = ''] = line.split(':', 2);
    trailers[name.toLowerCase()] = value.trim();
  }
}

/** Reads lines and bytes from a stream of chunks. */
class Reader {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next line, without the CRLF that ends it. */
  async line(): Promise<string> {
    let end: number;
    while ((end = this.#buffer.indexOf('\r\n')) < 0) {
      this.#buffer = Buffer.concat([this.#buffer, await this.#next()]);
    }
    const line = this.#buffer.toString('latin1', 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    return line;
  }

  async *bytes(count: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = count; missing > 0;) {
      const chunk = this.#buffer.length > 0 ? this.#buffer : await this.#next();
      const bytes = chunk.subarray(0, missing);
      this.#buffer = chunk.subarray(bytes.length);
      missing -= bytes.length;
      yield bytes;
    }
  }

  async #next(): Promise<Buffer> {
    const next = await this.#source.next();
    if (next.done === true) {
      throw new S3Error(400, 'IncompleteBody', 'The body ended before its last chunk.');
    }
    return next.value;
  }
}
