import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, link, mkdir, rm, rmdir, statfs } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import S3rver from 's3rver';
import { crc64nvmeOf, receive, type Received } from './s3/body.ts';
import type { Guard } from './s3/guard.ts';
import { diskFull, element, refusal, S3Error, sendError, sendXml, targetOf, type Target } from './s3/message.ts';
import { Uploads } from './s3/uploads.ts';

/** Where `s3rver` keeps its own files, and bodies stay until they are whole. No bucket's name begins with a dot. */
const STORE = '.store';
const INCOMING = '.incoming';

/** Metadata that stands for S3's own checksum header, which `s3rver` does not keep. */
const CRC64NVME = 'x-amz-meta-.crc64nvme';

/** Headers of an upload that make up the object's metadata; all others are about the request. */
const METADATA_HEADER = /^(x-amz-meta-.*|content-type|content-disposition|content-language|cache-control|expires)$/;

/** Keys by which a request says that it is about something else than the object or bucket itself. */
const PLAIN_QUERY =
  /^(x-id|list-type|prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|location)$/;

const ALREADY_EXISTS = 409;

export interface S3Options {
  readonly directory: string;
  /** Refuses requests. @default - whatever the signature, all are served */
  readonly guard?: Guard | undefined;
}

export interface S3Server {
  /** Serves path-style requests of any region: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** Makes a bucket if it is not there. */
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an S3 server on a free port of loopback. Each object stands as a plain file `<directory>/<bucket>/<key>`,
 * which comes into being at once and whole.
 *
 * `s3rver` stores, reads and lists. What it lacks stands before it: uploads in parts that can be aborted and listed,
 * checksums, `If-None-Match: *`, the coding `aws-chunked`, and that a broken-off upload leaves no object.
 */
export async function startS3({ directory, guard }: S3Options): Promise<S3Server> {
  const front = new Front(path.resolve(directory), guard);
  await front.start();
  return {
    endpoint: front.endpoint,
    createBucket: async (name) => {
      const response = await fetch(`${front.store}/${name}`, { method: 'PUT' });
      const { ok, status } = response;
      if (!ok && status !== ALREADY_EXISTS)
        throw new Error(`Bucket ${name} could not be made: ${await response.text()}`);
    },
    stop: () => front.stop(),
  };
}

class Front {
  readonly #directory: string;
  readonly #guard: Guard | undefined;
  readonly #uploads: Uploads;
  readonly #committing = new Set<string>();
  readonly #store: Server;
  readonly #server: Server;

  constructor(directory: string, guard: Guard | undefined) {
    this.#directory = directory;
    this.#guard = guard;
    this.#uploads = new Uploads(path.join(directory, INCOMING));
    const store = new S3rver({ directory: path.join(directory, STORE), silent: true, vhostBuckets: false });
    const answer = store.callback();
    this.#store = createServer((request, response) => {
      answer(request, response);
    });
    this.#server = createServer((request, response) => void this.#answer(request, response));
    // Large objects take longer than the default of five minutes to arrive.
    this.#server.requestTimeout = 0;
    this.#store.requestTimeout = 0;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  /** Of the server behind this one, which knows neither keys nor permissions. */
  get store(): string {
    return `http://127.0.0.1:${portOf(this.#store)}`;
  }

  async start(): Promise<void> {
    // Uploads that an earlier server left can't be carried on.
    await rm(path.join(this.#directory, INCOMING), { recursive: true, force: true });
    await mkdir(path.join(this.#directory, INCOMING), { recursive: true });
    await mkdir(path.join(this.#directory, STORE), { recursive: true });
    for (const server of [this.#store, this.#server]) await once(server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#store]) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
    await rm(path.join(this.#directory, INCOMING), { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const target = targetOf(request.url ?? '/');
      await this.#guard?.({
        method: request.method ?? '',
        target,
        headers: request.headers,
        exists: await exists(this.#file(target)),
      });
      await this.#route(request, response, target);
    } catch (error) {
      // The sender is gone, or hears the end of the connection as the failure that it is.
      if (request.destroyed && !request.complete) response.destroy();
      else if (response.headersSent) response.destroy();
      else {
        sendError(response, error);
        // What is still under way is taken in, or the sender would see a broken connection instead of the answer.
        request.resume();
      }
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const { bucket, key, query } = target;
    const method = request.method ?? '';
    const uploadId = query.get('uploadId');
    if (bucket !== '' && key !== '') {
      if (uploadId !== null) {
        if (method === 'PUT') return this.#putPart(request, response, uploadId, Number(query.get('partNumber')));
        if (method === 'POST') return this.#complete(request, response, uploadId);
        if (method === 'DELETE') return this.#abort(response, uploadId);
      }
      if (method === 'POST' && query.has('uploads')) return this.#begin(request, response, target);
    }
    if (bucket !== '' && key === '' && method === 'GET' && query.has('uploads')) {
      this.#listUploads(response, target);
      return;
    }
    if ([...query.keys()].some((name) => !PLAIN_QUERY.test(name)) || 'x-amz-copy-source' in request.headers) {
      throw new S3Error(501, 'NotImplemented', `${method} ${request.url ?? ''} is not served here.`);
    }
    if (key !== '' && method === 'PUT') return this.#put(request, response, target);
    if (key !== '' && method === 'DELETE') return this.#delete(request, response, target);
    if (key !== '' && !(await exists(this.#file(target)))) {
      await this.#demandBucket(bucket);
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    }
    await this.#forward(request, response);
  }

  async #begin(request: IncomingMessage, response: ServerResponse, { bucket, key }: Target): Promise<void> {
    await this.#demandBucket(bucket);
    const { id } = await this.#uploads.begin(bucket, key, request.headers);
    sendXml(response, 'InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id });
  }

  async #putPart(request: IncomingMessage, response: ServerResponse, id: string, number: number): Promise<void> {
    if (!Number.isInteger(number) || number < 1 || number > 10_000) {
      throw new S3Error(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive.');
    }
    response.setHeader('ETag', await this.#uploads.put(id, number, request)).end();
  }

  async #complete(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const file = this.#incoming();
    try {
      const body = await text(request);
      const { upload, ...whole } = await this.#uploads.assemble(id, body, file);
      const checksum = crc64nvmeOf(request.headers);
      if (checksum !== undefined && checksum !== whole.checksums.crc64nvme) {
        throw new S3Error(400, 'BadDigest', 'The CRC64NVME you specified did not match what we received.');
      }
      const etag = await this.#commit(upload, upload.headers, request.headers['if-none-match'], file, whole);
      await this.#uploads.abort(id);
      const { bucket: Bucket, key: Key } = upload;
      sendXml(response, 'CompleteMultipartUploadResult', {
        Location: `${this.endpoint}${request.url?.split('?')[0] ?? ''}`,
        Bucket,
        Key,
        ETag: etag,
        ChecksumCRC64NVME: whole.checksums.crc64nvme ?? '',
        ChecksumType: 'FULL_OBJECT',
      });
    } finally {
      await rm(file, { force: true });
    }
  }

  async #abort(response: ServerResponse, id: string): Promise<void> {
    await this.#uploads.abort(id);
    response.writeHead(204).end();
  }

  #listUploads(response: ServerResponse, { bucket, query }: Target): void {
    const uploads = this.#uploads.list(bucket).filter(({ key }) => key.startsWith(query.get('prefix') ?? ''));
    const listed = uploads.map(({ id, key, initiated }) =>
      element('Upload', { Key: key, UploadId: id, Initiated: initiated.toISOString() }),
    );
    sendXml(response, 'ListMultipartUploadsResult', { Bucket: bucket, IsTruncated: 'false' }, listed.join(''));
  }

  async #put(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const file = this.#incoming();
    try {
      const whole = await receive(request, file, ['crc64nvme']);
      const etag = await this.#commit(target, request.headers, request.headers['if-none-match'], file, whole);
      response.setHeader('ETag', etag).end();
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Makes an object of a file. @returns the ETag */
  async #commit(
    { bucket, key }: Pick<Target, 'bucket' | 'key'>,
    headers: IncomingHttpHeaders,
    ifNoneMatch: string | undefined,
    file: string,
    { size, checksums }: Received,
  ): Promise<string> {
    const object = this.#file({ bucket, key });
    if (this.#committing.has(object)) {
      throw new S3Error(409, 'ConditionalRequestConflict', 'Another request is writing to this key.');
    }
    this.#committing.add(object);
    try {
      if (ifNoneMatch === '*' && (await exists(object))) {
        throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
      }
      await this.#demandSpace(size);
      const metadata = Object.entries(headers).filter(([name]) => METADATA_HEADER.test(name));
      const url = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
      const upstream = this.#request('PUT', url, {
        ...Object.fromEntries(metadata),
        [CRC64NVME]: checksums.crc64nvme,
        'content-length': size,
      });
      const [answer] = await Promise.all([responseTo(upstream), pipeline(createReadStream(file), upstream)]);
      const said = await text(answer);
      if (answer.statusCode !== 200) throw refusal(answer, said);
      await mkdir(path.dirname(object), { recursive: true });
      await rm(object, { force: true });
      await link(path.join(this.#directory, STORE, bucket, `${key}._S3rver_object`), object);
      return answer.headers.etag ?? '';
    } finally {
      this.#committing.delete(object);
    }
  }

  async #delete(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    await this.#forward(request, response);
    await rm(this.#file(target), { force: true });
    const bucket = path.join(this.#directory, target.bucket);
    for (let folder = path.dirname(this.#file(target)); folder !== bucket; folder = path.dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // Holds other objects.
      }
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
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

  async #demandBucket(bucket: string): Promise<void> {
    if (!(await exists(path.join(this.#directory, STORE, bucket)))) {
      throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    }
  }

  /** `s3rver` would end this process if the disk became full while it writes. */
  async #demandSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    if (bavail * bsize <= bytes) throw diskFull(`${bytes} bytes do not fit`);
  }

  #request(method: string, url: string, headers: OutgoingHttpHeaders): ReturnType<typeof httpRequest> {
    return httpRequest({ host: '127.0.0.1', port: portOf(this.#store), method, path: url, headers, agent: false });
  }

  #file({ bucket, key }: Pick<Target, 'bucket' | 'key'>): string {
    return path.join(this.#directory, bucket, ...key.split('/'));
  }

  #incoming(): string {
    return path.join(this.#directory, INCOMING, randomBytes(8).toString('hex'));
  }
}

async function responseTo(upstream: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => upstream.on('response', resolve).on('error', reject));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen.');
  return address.port;
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
