import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { receive, type Received, store } from './body.ts';
import { S3Error } from './message.ts';

/** S3 refuses smaller parts, except for the last one. */
const SMALLEST_PART = 5 * 1024 * 1024;

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** Of the request that began the upload: the object's metadata. */
  readonly headers: IncomingHttpHeaders;
  readonly initiated: Date;
}

interface Part {
  readonly file: string;
  readonly size: number;
  /** With its quotation marks. */
  readonly etag: string;
}

/** The uploads in parts that are under way, their parts on disk below `directory`. */
export class Uploads {
  readonly #directory: string;
  readonly #open = new Map<string, { readonly upload: Upload; readonly parts: Map<number, Part> }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async begin(bucket: string, key: string, headers: IncomingHttpHeaders): Promise<Upload> {
    const upload = { id: randomBytes(16).toString('hex'), bucket, key, headers, initiated: new Date() };
    await mkdir(join(this.#directory, upload.id), { recursive: true });
    this.#open.set(upload.id, { upload, parts: new Map() });
    return upload;
  }

  /** @returns the part's ETag */
  async put(id: string, number: number, request: IncomingMessage): Promise<string> {
    const { parts } = this.#find(id);
    const file = join(this.#directory, id, `${number}-${randomBytes(4).toString('hex')}`);
    const { size, checksums } = await receive(request, file, ['md5']);
    const etag = `"${Buffer.from(checksums.md5 ?? '', 'base64').toString('hex')}"`;
    const replaced = parts.get(number);
    parts.set(number, { file, size, etag });
    if (replaced !== undefined) {
      await rm(replaced.file);
    }
    return etag;
  }

  /**
   * Puts the parts together into `file`. The upload stays open: it ends by {@link abort} once the object is there.
   *
   * @param body of CompleteMultipartUpload, XML
   * @returns with the ETag of the whole, without quotation marks
   */
  async assemble(
    id: string,
    body: string,
    file: string,
  ): Promise<Received & { readonly upload: Upload; readonly etag: string }> {
    const { upload, parts } = this.#find(id);
    const chosen = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
      const number = Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]);
      const etag = /<ETag>(?:"|&quot;|&#34;)?([0-9a-f]+)/.exec(part)?.[1];
      const found = parts.get(number);
      if (found?.etag !== `"${etag ?? ''}"`) {
        throw new S3Error(400, 'InvalidPart', `Part ${number} was not uploaded, or with another ETag.`);
      }
      return { number, ...found };
    });
    if (chosen.length === 0) {
      throw new S3Error(400, 'MalformedXML', 'At least one part is needed.');
    }
    if (chosen.some(({ number }, index) => number <= (chosen[index - 1]?.number ?? 0))) {
      throw new S3Error(400, 'InvalidPartOrder', 'The parts are not in ascending order.');
    }
    if (chosen.slice(0, -1).some(({ size }) => size < SMALLEST_PART)) {
      throw new S3Error(400, 'EntityTooSmall', 'A part before the last is smaller than 5 MiB.');
    }
    const hash = createHash('md5');
    for (const { etag } of chosen) {
      hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'));
    }
    const etag = `${hash.digest('hex')}-${chosen.length}`;
    return { upload, etag, ...(await store(concatenated(chosen), file, ['crc64nvme'])) };
  }

  /** Forgets the upload and its parts. */
  async abort(id: string): Promise<void> {
    this.#find(id);
    this.#open.delete(id);
    await rm(join(this.#directory, id), { recursive: true });
  }

  list(bucket: string): readonly Upload[] {
    return [...this.#open.values()].map(({ upload }) => upload).filter((upload) => upload.bucket === bucket);
  }

  #find(id: string): { readonly upload: Upload; readonly parts: Map<number, Part> } {
    const found = this.#open.get(id);
    if (found === undefined) {
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
    }
    return found;
  }
}

async function* concatenated(parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const { file } of parts) {
    for await (const chunk of createReadStream(file)) {
      yield chunk as Uint8Array;
    }
  }
}
