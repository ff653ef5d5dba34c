import { once } from 'node:events';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import PQueue from 'p-queue';
import { awsFailure, foreignResponse, isTransient } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { crc32InBase64 } from './checksum.ts';
import { markUpload } from './earlier-uploads.ts';
import type { UploadedPart } from './etag.ts';
import { type DumpObject, taggingOf } from './object.ts';
import { MAX_PARTS } from './part/part-size.ts';
import type { Part } from './part/part.ts';
import { resend } from './resend.ts';

/** Parts sent concurrently. */
const IN_FLIGHT = 4;

/** Media type of a dump. */
export const CONTENT_TYPE = 'application/octet-stream';

export interface UploadTarget {
  readonly s3: S3Client;
  readonly object: DumpObject;
  /** The Batch job that this run is an attempt of, if any. */
  readonly job: string | undefined;
  /** Ends the upload. */
  readonly signal: AbortSignal;
}

/** The error of an upload, as {@link awsFailure} converts it. */
export function uploadFailure({ bucket, key }: DumpObject, error: unknown): unknown {
  return awsFailure(`upload to s3://${bucket}/${key}`, error);
}

/** A multipart upload of which S3 has received all parts. */
export interface CompleteUpload {
  readonly id: string;
  /** In ascending order. */
  readonly parts: readonly UploadedPart[];
}

/**
 * Sends a dump to S3 while it is being made, every part but the first, which comes last. None of it is visible before
 * the commit. A dump of a single part needs no multipart upload, and none is begun.
 */
export class Transfer {
  readonly #target: UploadTarget;
  readonly #fail: (error: unknown) => void;
  readonly #queue = new PQueue({ concurrency: IN_FLIGHT });
  /** Number of the last part added; 1 is reserved for the first part. */
  #lastNumber = 1;
  /** Set when the multipart upload is begun. */
  #id: Promise<string> | undefined;
  #marked: Promise<void> | undefined;
  readonly #parts: UploadedPart[] = [];
  #bytes = 0;
  #lostResponse = false;

  /** @param fail is called with the error of a part. It has to abort the target's signal. */
  constructor(target: UploadTarget, fail: (error: unknown) => void) {
    this.#target = target;
    this.#fail = fail;
  }

  /** Bytes that S3 has received. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the response to a request may have been lost, although S3 did what it asked for. */
  get lostResponse(): boolean {
    return this.#lostResponse;
  }

  /**
   * Sends the next part after the first as soon as fewer than IN_FLIGHT are being sent, and discards it afterwards.
   *
   * @throws {Failure} `refused` if S3 accepts no more parts
   */
  add(part: Part): void {
    this.#lastNumber += 1;
    if (this.#lastNumber > MAX_PARTS) {
      throw new Failure(
        'refused',
        `The dump needs more than the ${MAX_PARTS} parts that S3 allows, because the disk has room for small parts only: ` +
          'give the job more storage with the context ephemeralStorageGiB.',
      );
    }
    this.#enqueue(part, this.#lastNumber);
  }

  /** Whether all parts that were added have been sent. */
  get isIdle(): boolean {
    return this.#queue.size + this.#queue.pending === 0;
  }

  /** Waits until another part would be sent immediately. */
  async room(): Promise<void> {
    while (this.#queue.pending >= IN_FLIGHT) {
      await once(this.#queue, 'next');
    }
    this.#target.signal.throwIfAborted();
  }

  /**
   * Sends the first part, unless it is the only one, and waits for all parts.
   *
   * @returns undefined if the first part is the only one
   */
  async finish(first: Part): Promise<CompleteUpload | undefined> {
    if (this.#lastNumber === 1) {
      return undefined;
    }
    this.#enqueue(first, 1);
    await this.#queue.onIdle();
    this.#target.signal.throwIfAborted();
    return { id: await this.#begun(), parts: this.#parts.toSorted((one, other) => one.number - other.number) };
  }

  /** Sends a body, as often as AWS_MAX_ATTEMPTS allows. @throws {Error} see {@link resend} */
  async send<T>(part: Part, request: (body: Readable, broken: AbortSignal) => Promise<T>): Promise<T> {
    const { s3, signal } = this.#target;
    const watched = async (body: Readable, broken: AbortSignal): Promise<T> => {
      try {
        return await request(body, broken);
      } catch (error) {
        this.#lostResponse ||= isTransient(error);
        throw error;
      }
    };
    const answer = await resend(part, watched, await s3.config.maxAttempts(), signal);
    this.#bytes += part.bytes;
    return answer;
  }

  /**
   * Deletes the upload, if there is one, after its parts have ended.
   *
   * @returns `closed` if it was completed or aborted before
   */
  async abort(): Promise<'aborted' | 'closed' | 'unknown'> {
    await this.#queue.onIdle();
    // An upload whose ID is unknown cannot be aborted, so the answer is awaited.
    const id = await this.#id?.catch(() => undefined);
    if (id === undefined) {
      return 'unknown';
    }
    const { s3, object } = this.#target;
    try {
      await s3.send(new AbortMultipartUploadCommand({ Bucket: object.bucket, Key: object.key, UploadId: id }));
      return 'aborted';
    } catch (error) {
      const name = error instanceof S3ServiceException ? error.name : 'no answer';
      if (name === 'NoSuchUpload') {
        return 'closed';
      }
      log(`Could not abort the upload (${name}): its parts are left to the lifecycle rule of the bucket.`);
      return 'unknown';
    }
  }

  /**
   * The part's failure is reported before the queue counts the part as done, so an idle queue has no unreported one.
   */
  #enqueue(part: Part, number: number): void {
    void this.#queue.add(() => this.#sendPart(part, number).catch(this.#fail));
  }

  async #sendPart(part: Part, number: number): Promise<void> {
    const { s3, object, signal } = this.#target;
    signal.throwIfAborted();
    const { bucket, key } = object;
    const id = await this.#begun();
    try {
      const { ETag: etag } = await this.send(part, (body, broken) =>
        s3.send(
          new UploadPartCommand({
            Bucket: bucket,
            Key: key,
            UploadId: id,
            PartNumber: number,
            Body: body,
            ContentLength: part.bytes,
            ChecksumCRC32: crc32InBase64(part.crc32),
          }),
          { abortSignal: AbortSignal.any([signal, broken]) },
        ),
      );
      if (etag === undefined) {
        throw foreignResponse(`upload a part to s3://${bucket}/${key}`);
      }
      this.#parts.push({ number, etag });
    } catch (error) {
      throw uploadFailure(object, error);
    }
    await part.discard();
  }

  async #begun(): Promise<string> {
    const id = (this.#id ??= this.#begin());
    this.#marked ??= id.then((begun) => this.#mark(begun));
    await this.#marked;
    return id;
  }

  /** Not part of the beginning: an upload that could not be marked still has to be aborted. */
  async #mark(id: string): Promise<void> {
    const { s3, object, job } = this.#target;
    if (job !== undefined) {
      await markUpload(s3, object, id, job);
    }
  }

  /** Not interrupted by the signal, so that the upload can be aborted. */
  async #begin(): Promise<string> {
    const { s3, object } = this.#target;
    const { bucket, key } = object;
    try {
      const { UploadId: id } = await s3.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
          ContentType: CONTENT_TYPE,
          Tagging: taggingOf(object),
          StorageClass: object.storageClass,
        }),
      );
      if (id === undefined) {
        throw foreignResponse(`begin an upload to s3://${bucket}/${key}`);
      }
      return id;
    } catch (error) {
      throw uploadFailure(object, error);
    }
  }
}
