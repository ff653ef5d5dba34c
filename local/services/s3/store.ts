import { createReadStream } from 'node:fs';
import { access, link, mkdir, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import S3rver from 's3rver';
import { listen, type Loopback } from '../../host/loopback.ts';
import type { Received } from './body.ts';
import { diskFull, refusal, S3Error, type Target } from './message.ts';

/** Where `s3rver` keeps its own files. No bucket's name begins with a dot. */
const FOLDER = '.store';

/** Metadata that stands for S3's own checksum header, which `s3rver` does not keep. */
const CRC64NVME = 'x-amz-meta-.crc64nvme';

/** Headers of an upload that make up the object's metadata; all others are about the request. */
const METADATA_HEADER = /^(x-amz-meta-.*|content-type|content-disposition|content-language|cache-control|expires)$/;

const ALREADY_EXISTS = 409;

type Name = Pick<Target, 'bucket' | 'key'>;

/**
 * The objects, as `s3rver` keeps, reads and lists them. Each stands as a plain file `<directory>/<bucket>/<key>` besides,
 * which comes into being at once and whole.
 */
export class Store {
  readonly #directory: string;
  /** `s3rver`, which serves whoever reaches it without a signature. */
  readonly #server: Loopback;
  readonly #committing = new Set<string>();

  private constructor(directory: string, server: Loopback) {
    this.#directory = directory;
    this.#server = server;
  }

  static async open(directory: string): Promise<Store> {
    await mkdir(join(directory, FOLDER), { recursive: true });
    const s3rver = new S3rver({ directory: join(directory, FOLDER), silent: true, vhostBuckets: false });
    const answer = s3rver.callback();
    const server = createServer((request, response) => {
      answer(request, response);
    });
    // Large objects take longer than the default of five minutes to arrive.
    server.requestTimeout = 0;
    return new Store(directory, await listen(server));
  }

  async close(): Promise<void> {
    await this.#server.stop();
  }

  /** Makes a bucket if it is not there. */
  async createBucket(name: string): Promise<void> {
    const response = await fetch(`${this.#server.url}/${name}`, { method: 'PUT' });
    if (!response.ok && response.status !== ALREADY_EXISTS) {
      throw new Error(`Bucket ${name} could not be made: ${await response.text()}`);
    }
  }

  /** @throws {S3Error} NoSuchBucket */
  async demandBucket(bucket: string): Promise<void> {
    if (!(await exists(join(this.#directory, FOLDER, bucket)))) {
      throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    }
  }

  has(name: Name): Promise<boolean> {
    return exists(this.#file(name));
  }

  /**
   * Makes an object of a file.
   *
   * @param ifNoneMatch `*` for an object that must not be there yet
   * @returns the ETag
   * @throws {S3Error}
   */
  async commit(
    name: Name,
    headers: IncomingHttpHeaders,
    ifNoneMatch: string | undefined,
    file: string,
    { size, checksums }: Received,
  ): Promise<string> {
    const object = this.#file(name);
    if (this.#committing.has(object)) {
      throw new S3Error(409, 'ConditionalRequestConflict', 'Another request is writing to this key.');
    }
    this.#committing.add(object);
    try {
      if (ifNoneMatch === '*' && (await exists(object))) {
        throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
      }
      await this.#demandSpace(size);
      const metadata = Object.entries(headers).filter(([header]) => METADATA_HEADER.test(header));
      const upstream = this.#request(
        'PUT',
        `/${name.bucket}/${name.key.split('/').map(encodeURIComponent).join('/')}`,
        {
          ...Object.fromEntries(metadata),
          [CRC64NVME]: checksums.crc64nvme,
          'content-length': size,
        },
      );
      const [answer] = await Promise.all([responseTo(upstream), pipeline(createReadStream(file), upstream)]);
      const said = await text(answer);
      if (answer.statusCode !== 200) {
        throw refusal(answer, said);
      }
      await mkdir(dirname(object), { recursive: true });
      await rm(object, { force: true });
      await link(this.#kept(name, 'object'), object);
      return answer.headers.etag ?? '';
    } finally {
      this.#committing.delete(object);
    }
  }

  /** Gives an object that was made of parts its ETag; `s3rver` took it for one piece, and keeps the ETag in a file. */
  async setEtag(name: Name, etag: string): Promise<void> {
    await writeFile(this.#kept(name, 'object.md5'), etag);
  }

  /** Has `s3rver` answer a request. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { ...request.headers };
    // s3rver would check the signature, but knows no keys but its own.
    delete headers.authorization;
    const upstream = this.#request(request.method ?? '', request.url ?? '/', headers);
    const [answer] = await Promise.all([responseTo(upstream), pipeline(request, upstream)]);
    const { [CRC64NVME]: checksum, ...answered } = answer.headers;
    response.writeHead(answer.statusCode ?? 500, {
      ...answered,
      ...(answer.statusCode === 200 && request.headers['x-amz-checksum-mode'] === 'ENABLED' && checksum !== undefined
        ? { 'x-amz-checksum-crc64nvme': checksum, 'x-amz-checksum-type': 'FULL_OBJECT' }
        : {}),
    });
    await pipeline(answer, response);
  }

  /** Has `s3rver` answer a request to delete an object, whose plain file goes too. */
  async answerDelete(request: IncomingMessage, response: ServerResponse, name: Name): Promise<void> {
    await this.answer(request, response);
    await rm(this.#file(name), { force: true });
    const bucket = join(this.#directory, name.bucket);
    for (let folder = dirname(this.#file(name)); folder !== bucket; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // Holds other objects.
      }
    }
  }

  /** `s3rver` would end this process if the disk became full while it writes. */
  async #demandSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize <= bytes) {
      throw diskFull(`${bytes} bytes do not fit`);
    }
  }

  #request(method: string, target: string, headers: OutgoingHttpHeaders): ReturnType<typeof httpRequest> {
    const { hostname, port } = new URL(this.#server.url);
    return httpRequest({ host: hostname, port, method, path: target, headers, agent: false });
  }

  #file({ bucket, key }: Name): string {
    return join(this.#directory, bucket, ...key.split('/'));
  }

  /** A file of `s3rver` about an object. */
  #kept({ bucket, key }: Name, what: string): string {
    return join(this.#directory, FOLDER, bucket, `${key}._S3rver_${what}`);
  }
}

async function responseTo(upstream: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => upstream.on('response', resolve).on('error', reject));
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
