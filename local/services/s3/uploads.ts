import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { receive, verify, writeBody, type WrittenBody } from './body.ts';
import { type Algorithm, CHECKSUMS, objectAlgorithm } from './checksum.ts';
import type { ObjectName, Target } from './request.ts';
import { S3Error } from './response.ts';
import { metadataOf, type NewObject } from './store.ts';

/** S3 refuses smaller parts, except for the last one. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const MAX_PARTS = 10_000;

/** Its digests are the MD5 and that of the upload's algorithm. */
interface Part extends WrittenBody {
  readonly file: string;
}

/** A multipart upload in progress. */
export interface Upload extends ObjectName {
  readonly id: string;
  readonly initiated: Date;
  readonly metadata: NewObject['metadata'];
  readonly tags: NewObject['tags'];
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

  /** CreateMultipartUpload. @returns the upload's id */
  async create({ bucket, key }: Target, headers: IncomingHttpHeaders, tags: NewObject['tags']): Promise<string> {
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
      tags,
      algorithm,
      checksumType: isFullObject ? 'FULL_OBJECT' : 'COMPOSITE',
      parts: new Map(),
    });
    return id;
  }

  /**
   * UploadPart.
   *
   * @returns the part's ETag, without quotation marks
   * @throws {S3Error} NoSuchUpload, InvalidArgument, BadDigest
   */
  async addPart(target: Target, request: IncomingMessage): Promise<string> {
    const { id, parts, algorithm } = this.find(target);
    const number = Number(target.query.get('partNumber'));
    if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
      throw new S3Error(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    }
    const file = join(this.#folder, id, `${number}-${randomBytes(4).toString('hex')}`);
    const part = { file, ...(await receive(request, file, ['md5', algorithm])) };
    const replaced = parts.get(number);
    parts.set(number, part);
    if (replaced !== undefined) {
      await rm(replaced.file);
    }
    return etagOf(part);
  }

  /**
   * The first half of CompleteMultipartUpload: joins the parts in a file. Only {@link delete} ends the upload, once the
   * object exists.
   *
   * @throws {S3Error} NoSuchUpload, MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest
   */
  async join(target: Target, request: IncomingMessage, file: string): Promise<NewObject> {
    const { parts: uploaded, algorithm, checksumType: type, metadata, tags } = this.find(target);
    const parts = chosenParts(await text(request), uploaded);
    const { size, digests } = await writeBody(concatenated(parts), file, [algorithm]);
    const suffix = `-${parts.length}`;
    const value =
      type === 'FULL_OBJECT'
        ? digests[algorithm].toString('base64')
        : `${(await composite(algorithm, parts)).toString('base64')}${suffix}`;
    verify(request.headers, (sent) => (sent === algorithm ? value : undefined));
    const etag = `${(await composite('md5', parts)).toString('hex')}${suffix}`;
    return { size, etag, metadata, tags, checksum: { algorithm, value, type } };
  }

  /** AbortMultipartUpload. @throws {S3Error} NoSuchUpload */
  async delete(target: Target): Promise<void> {
    const { id } = this.find(target);
    this.#uploads.delete(id);
    await rm(join(this.#folder, id), { recursive: true });
  }

  list(bucket: string): readonly Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.bucket === bucket);
  }

  /** @throws {S3Error} NoSuchUpload */
  find({ bucket, key, query }: Target): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.bucket !== bucket || upload.key !== key) {
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
    }
    return upload;
  }
}

/**
 * The parts that the body of CompleteMultipartUpload lists.
 *
 * @throws {S3Error} MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall
 */
function chosenParts(body: string, uploaded: ReadonlyMap<number, Part>): readonly Part[] {
  let last = 0;
  const parts = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, xml = '']) => {
    const number = Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(xml)?.[1]);
    const etag = /<ETag>(?:"|&quot;|&#34;)?([0-9a-f]+)/.exec(xml)?.[1];
    const part = uploaded.get(number);
    if (part === undefined || etagOf(part) !== etag) {
      throw new S3Error(400, 'InvalidPart', `Part ${number} has not been uploaded, or has another ETag.`);
    }
    // Because each part has a checksum: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html
    if (number !== last + 1) {
      throw new S3Error(400, 'InvalidPartOrder', 'The numbers of the parts were not consecutive, from 1.');
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

function etagOf({ digests }: Part): string {
  return digests.md5.toString('hex');
}

/** The checksum of the parts' checksums. */
async function composite(algorithm: Algorithm, parts: readonly Part[]): Promise<Buffer> {
  const checksum = CHECKSUMS[algorithm]();
  checksum.update(Buffer.concat(parts.map(({ digests }) => digests[algorithm])));
  return Buffer.from(await checksum.digest());
}

async function* concatenated(parts: readonly Part[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { file } of parts) {
    for await (const chunk of createReadStream(file)) {
      yield chunk as Uint8Array;
    }
  }
}
