import { crc32 } from 'node:zlib';

/** Consecutive bytes of a dump. */
export interface Section {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Checksums of a whole dump. */
export interface Checksums {
  readonly bytes: number;
  /** Hexadecimal; null if it is not known as a whole. */
  readonly sha256: string | null;
  /** In their order, if {@link sha256} is null. */
  readonly sections?: readonly Section[];
  /** In S3's form: base64 of the four bytes, high byte first. */
  readonly crc32: string;
}

/** Bytes `from` to `to`, the latter excluded. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly crc32: number;
  /** Of all bytes up to `to`. */
  readonly prefixCrc32: number;
}

/** Divides a stream of bytes into contiguous segments, each with its checksum. */
export class Segmenter {
  readonly #endOf: (from: number) => number;
  readonly #segments: Segment[] = [];
  #from = 0;
  #to = 0;
  #crc32 = 0;
  #prefixCrc32 = 0;

  /**
   * @param endOf returns the end of the segment that begins at `from`. While the end is unknown it may return a later
   * one, such as Infinity, as long as the stream has not passed the actual end.
   */
  constructor(endOf: (from: number) => number) {
    this.#endOf = endOf;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#to;
  }

  /** Closed segments, in order and without gaps. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** @returns the segments that end in this chunk */
  add(chunk: Buffer): readonly Segment[] {
    const before = this.#segments.length;
    for (let at = 0; at < chunk.length;) {
      const end = this.#endOf(this.#from);
      const bytes = chunk.subarray(at, at + end - this.#to);
      at += bytes.length;
      this.#to += bytes.length;
      this.#crc32 = crc32(bytes, this.#crc32);
      this.#prefixCrc32 = crc32(bytes, this.#prefixCrc32);
      if (this.#to === end) {
        this.close();
      }
    }
    return this.#segments.slice(before);
  }

  /** Closes the last segment. @returns undefined if it is empty */
  close(): Segment | undefined {
    if (this.#to === this.#from) {
      return undefined;
    }
    const segment = { from: this.#from, to: this.#to, crc32: this.#crc32, prefixCrc32: this.#prefixCrc32 };
    this.#segments.push(segment);
    this.#from = this.#to;
    this.#crc32 = 0;
    return segment;
  }
}

/** S3's form of a CRC32: base64 of the four bytes, high byte first. */
export function crc32InBase64(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}

/** Checksums of a whole dump, from the segments that make it up and the SHA-256 of its bytes. */
export function checksumsOf(segments: readonly Segment[], sha256: string): Checksums {
  const last = segments.at(-1);
  return { bytes: last?.to ?? 0, sha256, crc32: crc32InBase64(last?.prefixCrc32 ?? 0) };
}
