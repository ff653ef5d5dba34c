import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { awsFailure, isTaken, openS3 } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import type { Checksums } from './checksum.ts';
import { inBase64 } from './crc64nvme.ts';
import { etagOfOne, etagOfParts, type Sent } from './etag.ts';
import { findDump } from './find-dump.ts';
import type { DumpObject } from './object.ts';
import { MOST_PARTS } from './part-size.ts';
import type { Part } from './part.ts';
import { resend } from './resend.ts';

/** Parts that are sent at once. */
const IN_FLIGHT = 4;

const CONTENT_TYPE = 'application/octet-stream';

/**
 * An upload of which nothing is to be seen before its commit, which takes the first part and the checksums of the
 * whole. A dump of one part goes up in one request; otherwise the parts behind the first go up while it is made.
 */
export class Upload {
  readonly #object: DumpObject;
  readonly #region: string;
  readonly #client: S3Client;
  readonly #fail: (error: unknown) => void;
  readonly #signal: AbortSignal;
  /** Set when the upload in parts is begun. */
  #id: Promise<string> | undefined;
  /** Parts given so far, the first one, which comes last, included. */
  #count = 1;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #sent: Sent[] = [];
  #bytes = 0;

  /**
   * @param fail is told the error of a part: nothing is sent any more, and the upload is to be aborted
   * @param signal ends what is under way
   */
  constructor(object: DumpObject, region: string, fail: (error: unknown) => void, signal: AbortSignal) {
    this.#object = object;
    this.#region = region;
    this.#client = openS3(region);
    this.#fail = fail;
    this.#signal = signal;
  }

  /** Bytes that have arrived. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sends the next part behind the first as soon as its turn comes. The upload discards it afterwards. */
  add(part: Part): void {
    this.#count += 1;
    if (this.#count > MOST_PARTS) {
      throw new Failure(
        'refused',
        `The dump needs more than the ${MOST_PARTS} parts that S3 takes, because the disk holds small parts only: give the ` +
          'job more of it with the context ephemeralStorageGiB.',
      );
    }
    const number = this.#count;
    this.#waiting.push(() => this.#sendPart(part, number));
    this.#next();
  }

  /** Waits until one more part could be sent at once. */
  async room(): Promise<void> {
    while (this.#underWay.size >= IN_FLIGHT) {
      await Promise.race(this.#underWay);
    }
    this.#signal.throwIfAborted();
  }

  /**
   * Sends the first part, and brings the object into being, unless there is one.
   *
   * @returns `taken` if the key had an object, of another run, by then
   * @throws {Failure} `tryAgain`, `refused`; `verificationFailed` if S3 holds other bytes than were proven
   */
  async commit(first: Part, checksums: Checksums): Promise<'committed' | 'taken'> {
    if (this.#id === undefined) {
      return this.#commit(
        checksums,
        () => this.#put(first, checksums),
        () => etagOfOne(first),
      );
    }
    this.#waiting.push(() => this.#sendPart(first, 1));
    this.#next();
    while (this.#underWay.size > 0) {
      await Promise.all(this.#underWay);
    }
    this.#signal.throwIfAborted();
    this.#sent.sort((one, other) => one.number - other.number);
    return this.#commit(
      checksums,
      () => this.#complete(checksums),
      () => etagOfParts(this.#sent),
    );
  }

  /** Leaves nothing of an upload that was not committed. To be called after the signal has ended it. */
  async abort(): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all(this.#underWay);
    // Without the answer to its beginning an upload can't be aborted, so that is waited for.
    const id = await this.#id?.catch(() => undefined);
    if (id !== undefined) {
      const { bucket, key } = this.#object;
      try {
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }));
      } catch (error) {
        const name = error instanceof S3ServiceException ? error.name : 'no answer';
        if (name !== 'NoSuchUpload') {
          log(`Could not abort the upload (${name}): the bucket's lifecycle has to delete its parts.`);
        }
      }
    }
  }

  /** Lets go of the connections. */
  close(): void {
    this.#client.destroy();
  }

  #next(): void {
    while (this.#underWay.size < IN_FLIGHT && !this.#signal.aborted) {
      const send = this.#waiting.shift();
      if (send === undefined) {
        return;
      }
      const sending = send()
        .catch((error: unknown) => {
          this.#fail(error);
        })
        .finally(() => {
          this.#underWay.delete(sending);
          this.#next();
        });
      this.#underWay.add(sending);
    }
  }

  async #sendPart(part: Part, number: number): Promise<void> {
    this.#id ??= this.#begin();
    const id = await this.#id;
    const { bucket, key } = this.#object;
    const { ETag: etag = '' } = await this.#resend(part, (Body, broken) =>
      this.#client.send(
        new UploadPartCommand({
          Bucket: bucket,
          Key: key,
          UploadId: id,
          PartNumber: number,
          Body,
          ContentLength: part.bytes,
          ChecksumCRC64NVME: inBase64(part.crc),
        }),
        { abortSignal: AbortSignal.any([this.#signal, broken]) },
      ),
    );
    this.#sent.push({ number, etag });
    this.#bytes += part.bytes;
    await part.discard();
  }

  async #begin(): Promise<string> {
    const { bucket, key } = this.#object;
    try {
      const { UploadId: id } = await this.#client.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          ChecksumAlgorithm: 'CRC64NVME',
          ChecksumType: 'FULL_OBJECT',
          ContentType: CONTENT_TYPE,
        }),
      );
      if (id === undefined) {
        throw new Error('S3 began an upload without a name.');
      }
      return id;
    } catch (error) {
      throw awsFailure(`upload to s3://${bucket}/${key}`, error);
    }
  }

  /**
   * The answer to a commit can be lost, and a second attempt then finds the key taken, by the first. So an object that
   * has our ETag is ours.
   */
  async #commit(
    { bytes, crc64nvme }: Checksums,
    commit: () => Promise<string | undefined>,
    etag: () => string | Promise<string>,
  ): Promise<'committed' | 'taken'> {
    const { bucket, key } = this.#object;
    let stored: string | undefined;
    try {
      stored = await commit();
    } catch (error) {
      const failure = this.#failureOf(error);
      if (failure instanceof Failure && (failure.reason === 'tryAgain' || isTaken(error))) {
        const found = await findDump(this.#object, this.#region, this.#signal).catch(() => undefined);
        if (found?.bytes === bytes && found.etag === (await etag())) {
          log('S3 has the dump, although the answer that said so was lost.');
          return 'committed';
        }
      }
      if (isTaken(error)) {
        return 'taken';
      }
      throw failure;
    }
    if (stored !== undefined && stored !== crc64nvme) {
      throw new Failure(
        'verificationFailed',
        `s3://${bucket}/${key} has the CRC64NVME ${stored}, but the proven dump has ${crc64nvme}. Do not rely on this object.`,
      );
    }
    return 'committed';
  }

  /** Once under way it is not interrupted: its outcome could not be known. */
  async #put(part: Part, { sha256, crc64nvme }: Checksums): Promise<string | undefined> {
    const { bucket, key } = this.#object;
    const { ChecksumCRC64NVME: stored } = await this.#resend(part, (Body, abortSignal) =>
      this.#client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body,
          ContentLength: part.bytes,
          ContentType: CONTENT_TYPE,
          IfNoneMatch: '*',
          ChecksumCRC64NVME: crc64nvme,
          Metadata: { sha256 },
        }),
        { abortSignal },
      ),
    );
    this.#bytes += part.bytes;
    return stored;
  }

  async #complete({ bytes, crc64nvme }: Checksums): Promise<string | undefined> {
    const { bucket, key } = this.#object;
    const { ChecksumCRC64NVME: stored } = await this.#client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: await this.#id,
        MultipartUpload: { Parts: this.#sent.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
        MpuObjectSize: bytes,
        IfNoneMatch: '*',
        ChecksumType: 'FULL_OBJECT',
        ChecksumCRC64NVME: crc64nvme,
      }),
    );
    return stored;
  }

  async #resend<T>(part: Part, send: (body: Readable, broken: AbortSignal) => Promise<T>): Promise<T> {
    const attempts = await this.#client.config.maxAttempts();
    const doing = `upload to s3://${this.#object.bucket}/${this.#object.key}`;
    return resend(part, send, { attempts, doing, signal: this.#signal });
  }

  #failureOf(error: unknown): unknown {
    return awsFailure(`upload to s3://${this.#object.bucket}/${this.#object.key}`, error);
  }
}
