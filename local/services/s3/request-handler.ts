import { randomBytes } from 'node:crypto';
import { createReadStream, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { receive } from './body.ts';
import { byteRange } from './byte-range.ts';
import { objectAlgorithm } from './checksum.ts';
import { isConditionalWrite, operationOf, requireMatch } from './operation.ts';
import { type Guard, type Target, targetOf } from './request.ts';
import { element, S3Error, sendError, sendXml } from './response.ts';
import { metadataOf, type NewObject, type Store, type StoredObject } from './store.ts';
import { type Tags, tagsIn, xmlOf } from './tags.ts';
import { Uploads } from './uploads.ts';

/** Parts in a list, unless the request says how many. */
const MAX_LISTED = 1000;

/** Answers requests from a store. */
export class RequestHandler {
  readonly #store: Store;
  readonly #incoming: string;
  readonly #uploads: Uploads;
  readonly #guard: Guard | undefined;

  /** @param incoming folder for bodies until they are complete, on the file system of the store */
  constructor(store: Store, incoming: string, guard: Guard | undefined) {
    this.#store = store;
    this.#incoming = incoming;
    this.#uploads = new Uploads(incoming);
    this.#guard = guard;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-amz-request-id', randomBytes(8).toString('hex').toUpperCase());
    try {
      const { method = '', headers } = request;
      const target = targetOf(request.url ?? '/');
      const tags = await tagsIn(request, target);
      const existing = this.#store.find(target);
      const existingTags = existing?.tags ?? {};
      await this.#guard?.({ method, target, headers, tags, exists: existing !== undefined, existingTags });
      await this.#route(request, response, target, tags);
    } catch (error) {
      const isAborted = request.destroyed && !request.complete;
      if (isAborted || response.headersSent) {
        // Without a complete response, the client takes the end of the connection for the failure it is.
        response.destroy();
      } else {
        sendError(response, error);
        // Reads the rest of the body, or the client would find the connection broken instead of the response.
        request.resume();
      }
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, target: Target, tags: Tags = {}): Promise<void> {
    const operation = operationOf(request, target);
    if (operation === 'PUT bucket') {
      await this.#store.createBucket(target.bucket);
      response.end();
      return;
    }
    if (!this.#store.hasBucket(target.bucket)) {
      throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    }
    switch (operation) {
      case 'GET bucket?list-type':
        this.#listObjects(response, target);
        return;
      case 'GET bucket?uploads':
        this.#listUploads(response, target);
        return;
      case 'GET bucket?location':
        sendXml(response, 'LocationConstraint', {});
        return;
      case 'GET object':
      case 'HEAD object':
        return this.#sendObject(request, response, target);
      case 'PUT object':
        return this.#putObject(request, response, target, tags);
      case 'GET object?tagging':
        sendXml(response, 'Tagging', {}, xmlOf(this.#found(target).tags));
        return;
      case 'PUT object?tagging':
        this.#found(target);
        this.#store.tag(target, tags);
        response.end();
        return;
      case 'DELETE object':
        this.#store.delete(target);
        response.writeHead(204).end();
        return;
      case 'POST object?uploads':
        return this.#createUpload(request, response, target, tags);
      case 'GET object?uploadId':
        this.#listParts(response, target);
        return;
      case 'PUT object?partNumber&uploadId':
        return this.#uploadPart(request, response, target);
      case 'POST object?uploadId':
        return this.#completeUpload(request, response, target);
      case 'DELETE object?uploadId':
        await this.#uploads.delete(target);
        response.writeHead(204).end();
        return;
      default:
        throw new S3Error(501, 'NotImplemented', `${operation} is not implemented.`);
    }
  }

  /** @throws {S3Error} NoSuchKey */
  #found(target: Target): StoredObject {
    const object = this.#store.find(target);
    if (object === undefined) {
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    }
    return object;
  }

  async #sendObject(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const { headers, method } = request;
    const object = this.#found(target);
    requireMatch(headers, object.etag);
    const range = byteRange(headers.range, object.size);
    const body = method === 'GET' ? createReadStream('', { fd: openSync(object.file, 'r'), ...range }) : undefined;
    response.writeHead(range === undefined ? 200 : 206, {
      ...object.metadata,
      'accept-ranges': 'bytes',
      'content-length': range === undefined ? object.size : range.end - range.start + 1,
      etag: `"${object.etag}"`,
      'last-modified': new Date(object.lastModified).toUTCString(),
      ...(range === undefined
        ? headers['x-amz-checksum-mode'] === 'ENABLED' && checksumHeaders(object)
        : { 'content-range': `bytes ${range.start}-${range.end}/${object.size}` }),
    });
    if (body === undefined) {
      response.end();
    } else {
      await pipeline(body, response);
    }
  }

  async #putObject(request: IncomingMessage, response: ServerResponse, target: Target, tags: Tags): Promise<void> {
    const { headers } = request;
    const algorithm = objectAlgorithm(headers);
    const isConditional = isConditionalWrite(headers);
    await this.#withFile(async (file) => {
      const { size, digests } = await receive(request, file, ['md5', algorithm]);
      const object: NewObject = {
        size,
        etag: digests.md5.toString('hex'),
        metadata: metadataOf(headers),
        tags,
        checksum: { algorithm, value: digests[algorithm].toString('base64'), type: 'FULL_OBJECT' },
      };
      this.#store.put(target, object, file, isConditional);
      response.writeHead(200, { etag: `"${object.etag}"`, ...checksumHeaders(object) }).end();
    });
  }

  async #createUpload(request: IncomingMessage, response: ServerResponse, target: Target, tags: Tags): Promise<void> {
    const { bucket: Bucket, key: Key } = target;
    const UploadId = await this.#uploads.create(target, request.headers, tags);
    sendXml(response, 'InitiateMultipartUploadResult', { Bucket, Key, UploadId });
  }

  async #uploadPart(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const etag = await this.#uploads.addPart(target, request);
    response.writeHead(200, { etag: `"${etag}"` }).end();
  }

  async #completeUpload(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const { headers } = request;
    const isConditional = isConditionalWrite(headers);
    await this.#withFile(async (file) => {
      const object = await this.#uploads.join(target, request, file);
      this.#store.put(target, object, file, isConditional);
      await this.#uploads.delete(target);
      const { algorithm, value, type } = object.checksum;
      sendXml(response, 'CompleteMultipartUploadResult', {
        Location: `http://${headers.host ?? ''}${request.url?.split('?')[0] ?? ''}`,
        Bucket: target.bucket,
        Key: target.key,
        ETag: `"${object.etag}"`,
        [`Checksum${algorithm.toUpperCase()}`]: value,
        ChecksumType: type,
      });
    });
  }

  /** All objects at once, unlike S3. Those behind a further delimiter are left out, without their common prefixes. */
  #listObjects(response: ServerResponse, { bucket, query }: Target): void {
    const prefix = query.get('prefix') ?? '';
    const startAfter = Buffer.from(query.get('start-after') ?? '');
    const delimiter = query.get('delimiter') ?? '';
    const objects = this.#store
      .list(bucket)
      .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), startAfter) > 0)
      .filter(({ key }) => delimiter === '' || !key.slice(prefix.length).includes(delimiter));
    const listed = objects.map(({ key, lastModified, etag, size, metadata }) =>
      element('Contents', {
        Key: key,
        LastModified: lastModified,
        ETag: `"${etag}"`,
        Size: `${size}`,
        StorageClass: metadata['x-amz-storage-class'] ?? 'STANDARD',
      }),
    );
    const fields = { Name: bucket, Prefix: prefix, KeyCount: `${listed.length}`, IsTruncated: 'false' };
    sendXml(response, 'ListBucketResult', fields, listed.join(''));
  }

  #listUploads(response: ServerResponse, { bucket, query }: Target): void {
    const prefix = query.get('prefix') ?? '';
    const uploads = this.#uploads.list(bucket).filter(({ key }) => key.startsWith(prefix));
    const listed = uploads.map(({ id, key, initiated }) =>
      element('Upload', { Key: key, UploadId: id, Initiated: initiated.toISOString() }),
    );
    sendXml(response, 'ListMultipartUploadsResult', { Bucket: bucket, IsTruncated: 'false' }, listed.join(''));
  }

  #listParts(response: ServerResponse, target: Target): void {
    const { bucket: Bucket, key: Key, query } = target;
    const { id: UploadId, algorithm, checksumType: ChecksumType, parts } = this.#uploads.find(target);
    const most = Number(query.get('max-parts') ?? MAX_LISTED);
    const sorted = [...parts].toSorted(([one], [other]) => one - other);
    const listed = sorted.slice(0, most).map(([number, { size, digests }]) =>
      element('Part', {
        PartNumber: `${number}`,
        ETag: `"${digests.md5.toString('hex')}"`,
        Size: `${size}`,
        [`Checksum${algorithm.toUpperCase()}`]: digests[algorithm].toString('base64'),
      }),
    );
    const fields = { Bucket, Key, UploadId, MaxParts: `${most}`, IsTruncated: `${parts.size > most}`, ChecksumType };
    sendXml(response, 'ListPartsResult', fields, listed.join(''));
  }

  /** Calls `use` with the path of a new file, which is removed afterwards unless it was moved. */
  async #withFile(use: (file: string) => Promise<void>): Promise<void> {
    const file = join(this.#incoming, randomBytes(8).toString('hex'));
    try {
      await use(file);
    } finally {
      await rm(file, { force: true });
    }
  }
}

function checksumHeaders({ checksum }: NewObject): OutgoingHttpHeaders {
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': checksum.type };
}
