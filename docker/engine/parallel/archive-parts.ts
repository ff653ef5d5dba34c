import { crc32InBase64, type Section } from '../../s3/checksum.ts';
import { combineCrc32 } from '../../s3/crc32-combine.ts';
import { partSize, SMALLEST_PART } from '../../s3/part/part-size.ts';
import { type Part, readPart } from '../../s3/part/part.ts';
import { type SendBuffer, SendBuffers } from '../../s3/part/send-buffer.ts';
import type { PartSink, ProvenDump } from '../dump-run.ts';
import { slices } from '../slices.ts';
import { partCapacity } from '../spool.ts';
import { bytesOf, type ProvenChunk, release } from './chunk.ts';

interface Summed {
  readonly bytes: number;
  readonly crc32: number;
}

const NOTHING: Summed = { bytes: 0, crc32: 0 };

function appended(before: Summed, { bytes, crc32 }: Summed): Summed {
  return { bytes: before.bytes + bytes, crc32: combineCrc32(before.crc32, crc32, bytes) };
}

function partOf(chunks: readonly ProvenChunk[], buffers: SendBuffers): Part {
  async function* read(buffer: SendBuffer): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      yield* slices(await bytesOf(chunk, buffer.next(chunk.bytes)));
    }
  }
  return readPart(chunks.reduce(appended, NOTHING), buffers, read, () => release(chunks));
}

/** Divides the data of an archive into parts, and holds back what goes with the head, known only at the end. */
export class ArchiveParts {
  readonly #sink: PartSink;
  readonly #estimate: number;
  readonly #free: number;
  readonly #buffers = new SendBuffers();
  readonly #withHead: ProvenChunk[] = [];
  #filling: ProvenChunk[] = [];
  #filled = 0;
  #inParts = NOTHING;
  /** Bytes of data so far. */
  #bytes = 0;

  /**
   * @param estimate of the size of the dump, in bytes; zero if unknown
   * @param free bytes of the disk
   */
  constructor(sink: PartSink, estimate: number, free: number) {
    this.#sink = sink;
    this.#estimate = estimate;
    this.#free = free;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: ProvenChunk): void {
    if (this.#bytes < SMALLEST_PART) {
      this.#withHead.push(chunk);
    } else {
      this.#filling.push(chunk);
      this.#filled += chunk.bytes;
    }
    this.#bytes += chunk.bytes;
    if (this.#filled >= partCapacity(partSize(this.#bytes - this.#filled, this.#estimate), this.#free)) {
      this.#send();
    }
  }

  /** Sends the last part. @returns the first, with the head @param sections of the whole archive */
  end(head: readonly ProvenChunk[], sections: readonly Section[]): Pick<ProvenDump, 'first' | 'checksums'> {
    if (this.#filled > 0) {
      this.#send();
    }
    const first = partOf([...head, ...this.#withHead], this.#buffers);
    const { bytes, crc32 } = appended(first, this.#inParts);
    return { first, checksums: { bytes, sha256: null, sections, crc32: crc32InBase64(crc32) } };
  }

  #send(): void {
    const part = partOf(this.#filling, this.#buffers);
    this.#inParts = appended(this.#inParts, part);
    [this.#filling, this.#filled] = [[], 0];
    this.#sink.add(part);
  }
}
