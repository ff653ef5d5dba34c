import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen } from '../../host/loopback.ts';
import { crc64nvmeOf, receive } from './body.ts';
import type { Guard } from './guard.ts';
import { element, S3Error, sendError, sendXml, type Target, targetOf } from './message.ts';
import { Store } from './store.ts';
import { Uploads } from './uploads.ts';

/** Where bodies stay until they are whole. No bucket's name begins with a dot. */
const INCOMING = '.incoming';

/** Keys by which a request says that it is about something else than the object or bucket itself. */
const PLAIN_QUERY =
  /^(x-id|list-type|prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|location)$/;

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
  const root = resolve(directory);
  const incoming = join(root, INCOMING);
  // Uploads that an earlier server left can't be carried on.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const store = await Store.open(root);
  const front = new Front(store, incoming, guard);
  const server = createServer((request, response) => void front.answer(request, response));
  // Large objects take longer than the default of five minutes to arrive.
  server.requestTimeout = 0;
  const loopback = await listen(server);
  return {
    endpoint: loopback.url,
    createBucket: (name) => store.createBucket(name),
    stop: async () => {
      await loopback.stop();
      await store.close();
      await rm(incoming, { recursive: true, force: true });
    },
  };
}

/** What stands before the store. */
class Front {
  readonly #store: Store;
  readonly #incoming: string;
  readonly #uploads: Uploads;
  readonly #guard: Guard | undefined;

  constructor(store: Store, incoming: string, guard: Guard | undefined) {
    this.#store = store;
    this.#incoming = incoming;
    this.#uploads = new Uploads(incoming);
    this.#guard = guard;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const target = targetOf(request.url ?? '/');
      await this.#guard?.({
        method: request.method ?? '',
        target,
        headers: request.headers,
        exists: await this.#store.has(target),
      });
      await this.#route(request, response, target);
    } catch (error) {
      // The sender is gone, or hears the end of the connection as the failure that it is.
      if (request.destroyed && !request.complete) {
        response.destroy();
      } else if (response.headersSent) {
        response.destroy();
      } else {
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
        if (method === 'PUT') {
          return this.#putPart(request, response, uploadId, Number(query.get('partNumber')));
        }
        if (method === 'POST') {
          return this.#complete(request, response, uploadId);
        }
        if (method === 'DELETE') {
          return this.#abort(response, uploadId);
        }
      }
      if (method === 'POST' && query.has('uploads')) {
        return this.#begin(request, response, target);
      }
    }
    if (bucket !== '' && key === '' && method === 'GET' && query.has('uploads')) {
      this.#listUploads(response, target);
      return;
    }
    if ([...query.keys()].some((name) => !PLAIN_QUERY.test(name)) || 'x-amz-copy-source' in request.headers) {
      throw new S3Error(501, 'NotImplemented', `${method} ${request.url ?? ''} is not served here.`);
    }
    if (key !== '' && method === 'PUT') {
      return this.#put(request, response, target);
    }
    if (key !== '' && method === 'DELETE') {
      return this.#store.answerDelete(request, response, target);
    }
    if (key !== '' && !(await this.#store.has(target))) {
      await this.#store.demandBucket(bucket);
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    }
    await this.#store.answer(request, response);
  }

  async #begin(request: IncomingMessage, response: ServerResponse, { bucket, key }: Target): Promise<void> {
    await this.#store.demandBucket(bucket);
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
    const file = this.#newFile();
    try {
      const body = await text(request);
      const { upload, etag, ...whole } = await this.#uploads.assemble(id, body, file);
      const checksum = crc64nvmeOf(request.headers);
      if (checksum !== undefined && checksum !== whole.checksums.crc64nvme) {
        throw new S3Error(400, 'BadDigest', 'The CRC64NVME you specified did not match what we received.');
      }
      await this.#store.commit(upload, upload.headers, request.headers['if-none-match'], file, whole);
      const { bucket: Bucket, key: Key } = upload;
      await this.#store.setEtag(upload, etag);
      await this.#uploads.abort(id);
      sendXml(response, 'CompleteMultipartUploadResult', {
        Location: `http://127.0.0.1:${request.socket.localPort}${request.url?.split('?')[0] ?? ''}`,
        Bucket,
        Key,
        ETag: `"${etag}"`,
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
    const file = this.#newFile();
    try {
      const whole = await receive(request, file, ['crc64nvme']);
      const etag = await this.#store.commit(target, request.headers, request.headers['if-none-match'], file, whole);
      response.setHeader('ETag', etag).end();
    } finally {
      await rm(file, { force: true });
    }
  }

  #newFile(): string {
    return join(this.#incoming, randomBytes(8).toString('hex'));
  }
}
