import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { receive, verify, writeBody } from './body.ts';
import { type Algorithm, composite, objectAlgorithm } from './checksum.ts';
import type { ObjectName } from './request.ts';
import { S3Error } from './response.ts';
import { metadataOf, type NewObject } from './store.ts';

/** S3 refuses smaller parts, except for the last one. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const MAX_PARTS = 10_000;

interface Part {
  readonly file: string;
  readonly size: number;
  readonly md5: Buffer;
  /** Of the upload's algorithm. */
  readonly checksum: Buffer;
}

/** A multipart upload in progress. */
export interface Upload extends ObjectName {
  readonly id: string;
  readonly initiated: Date;
  readonly metadata: NewObject['metadata'];
  readonly algorithm: Algorithm;
  readonly checksumType: NewObject['checksum']['type'];
  readonly parts: Map<number, Part>;
}

/** The multipart uploads in progress, their parts on disk below a folder. */
export class Uploads {
  readonly #folder: string;
  readonly #uploads = new Map<string, Upload>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param headers of CreateMultipartUpload @returns the upload's id */
  async create({ bucket, key }: ObjectName, headers: IncomingHttpHeaders): Promise<string> {
    const id = randomBytes(16).toString('hex');
    const algorithm = objectAlgorithm(headers);
    const isFullObject = algorithm === 'crc64nvme' || headers['x-amz-checksum-type'] === 'FULL_OBJECT';
    await mkdir(join(this.#folder, id));
    this.#uploads.set(id, {
      id,
      bucket,
      key,
      initiated: new Date(),
      metadata: metadataOf(headers),
      algorithm,
      checksumType: isFullObject ? 'FULL_OBJECT' : 'COMPOSITE',
      parts: new Map(),
    });
    return id;
  }

  /**
   * @returns the part's ETag, without quotation marks
   * @throws {S3Error} NoSuchUpload, InvalidArgument, BadDigest
   */
  async addPart(name: ObjectName, id: string, number: number, request: IncomingMessage): Promise<string> {
    const { parts, algorithm } = this.#find(name, id);
    if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
      throw new S3Error(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    }
    const file = join(this.#folder, id, `${number}-${randomBytes(4).toString('hex')}`);
    const { size, digests } = await receive(request, file, ['md5', algorithm]);
    const replaced = parts.get(number);
    parts.set(number, { file, size, md5: digests.md5, checksum: digests[algorithm] });
    if (replaced !== undefined) {
      await rm(replaced.file);
    }
    return digests.md5.toString('hex');
  }

  /**
   * Joins the parts in a file. The upload stays open, to be ended by {@link abort} when the object exists.
   *
   * @param headers of CompleteMultipartUpload
   * @param body XML
   * @throws {S3Error} NoSuchUpload, MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest
   */
  async join(
    name: ObjectName,
    id: string,
    headers: IncomingHttpHeaders,
    body: string,
    file: string,
  ): Promise<NewObject> {
    const { parts: uploaded, algorithm, checksumType, metadata } = this.#find(name, id);
    const parts = chosenParts(body, uploaded);
    const { size, digests } = await writeBody(concatenated(parts), file, [algorithm]);
    const isFullObject = checksumType === 'FULL_OBJECT';
    const whole = isFullObject
      ? digests[algorithm]
      : await composite(
          algorithm,
          parts.map(({ checksum }) => checksum),
        );
    if (isFullObject) {
      verify(headers, { [algorithm]: whole });
    }
    const md5 = await composite(
      'md5',
      parts.map((part) => part.md5),
    );
    const suffix = `-${parts.length}`;
    return {
      size,
      etag: `${md5.toString('hex')}${suffix}`,
      metadata,
      checksum: { algorithm, value: `${whole.toString('base64')}${isFullObject ? '' : suffix}`, type: checksumType },
    };
  }

  /** Deletes the upload and its parts. @throws {S3Error} NoSuchUpload */
  async abort(name: ObjectName, id: string): Promise<void> {
    this.#find(name, id);
    this.#uploads.delete(id);
    await rm(join(this.#folder, id), { recursive: true });
  }

  list(bucket: string): readonly Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.bucket === bucket);
  }

  #find({ bucket, key }: ObjectName, id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload?.bucket !== bucket || upload.key !== key) {
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
    }
    return upload;
  }
}

/** @throws {S3Error} if these are not parts in order that S3 would take */
function chosenParts(body: string, uploaded: ReadonlyMap<number, Part>): readonly Part[] {
  let last = 0;
  const parts = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, xml = '']) => {
    const number = Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(xml)?.[1]);
    const etag = /<ETag>(?:"|&quot;|&#34;)?([0-9a-f]+)/.exec(xml)?.[1];
    const part = uploaded.get(number);
    if (part?.md5.toString('hex') !== etag || part === undefined) {
      throw new S3Error(400, 'InvalidPart', `Part ${number} has not been uploaded, or has another ETag.`);
    }
    if (number <= last) {
      throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    last = number;
    return part;
  });
  if (parts.length === 0) {
    throw new S3Error(400, 'MalformedXML', 'You must specify at least one part');
  }
  if (parts.slice(0, -1).some(({ size }) => size < MIN_PART_BYTES)) {
    throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
  return parts;
}

async function* concatenated(parts: readonly Part[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { file } of parts) {
    for await (const chunk of createReadStream(file)) {
      yield chunk as Uint8Array;
    }
  }
}
