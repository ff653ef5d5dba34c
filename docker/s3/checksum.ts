import { combine, crc64nvme, inBase64 } from './crc64nvme.ts';

/** What proves that bytes are the same bytes. */
export interface Checksums {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Base64 of the eight bytes, high byte first, as S3 gives and takes it. */
  readonly crc64nvme: string;
}

/** Bytes `from` to `to`, the latter not included. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly crc: bigint;
}

/** Cuts bytes, as they pass, into segments that have a checksum each. */
export class Cuts {
  readonly #endOf: (from: number) => number;
  readonly #segments: Segment[] = [];
  #from = 0;
  #to = 0;
  #crc = 0n;

  /**
   * @param endOf end of the segment that begins at `from`. It may be a later one, such as Infinity, as long as the
   * bytes that passed have not got there.
   */
  constructor(endOf: (from: number) => number) {
    this.#endOf = endOf;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#to;
  }

  /** All segments that are closed, in their order and without gaps. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** @returns the segments that end in this chunk */
  cut(chunk: Buffer): readonly Segment[] {
    const before = this.#segments.length;
    for (let at = 0; at < chunk.length;) {
      const end = this.#endOf(this.#from);
      const bytes = chunk.subarray(at, at + end - this.#to);
      at += bytes.length;
      this.#to += bytes.length;
      this.#crc = crc64nvme(bytes, this.#crc);
      if (this.#to === end) {
        this.close();
      }
    }
    return this.#segments.slice(before);
  }

  /** Closes the last segment where it is. @returns undefined if it has no bytes */
  close(): Segment | undefined {
    if (this.#to === this.#from) {
      return undefined;
    }
    const segment = { from: this.#from, to: this.#to, crc: this.#crc };
    this.#segments.push(segment);
    this.#from = this.#to;
    this.#crc = 0n;
    return segment;
  }
}

/** The checksum of segments that follow one another. */
export function combined(segments: readonly Segment[]): bigint {
  return segments.reduce((crc, segment) => combine(crc, segment.crc, segment.to - segment.from), 0n);
}

/** The checksums of all bytes, whose SHA-256 was taken beside, from segments that begin with the first. */
export function checksumsOf(segments: readonly Segment[], sha256: string): Checksums {
  return { bytes: segments.at(-1)?.to ?? 0, sha256, crc64nvme: inBase64(combined(segments)) };
}
