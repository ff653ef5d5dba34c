import { SMALLEST_PART } from './part-size.ts';

/** Memory that the bytes of a part are read into while the part is being sent. */
export class SendBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(SMALLEST_PART);
  #at = 0;

  /**
   * The next place to read to, which begins anew where the memory ends. Places are small, so that several mebibytes
   * more are requested before bytes are overwritten. A stream that waits until what it has written is sent holds much
   * less, and S3 would refuse a part with other bytes than the proven ones.
   *
   * @param bytes a quarter of the memory at most
   */
  next(bytes: number): Buffer {
    if (bytes > this.#bytes.length / 4) {
      throw new RangeError(`A place of ${bytes} bytes is too large.`);
    }
    if (this.#at + bytes > this.#bytes.length) {
      this.#at = 0;
    }
    const place = this.#bytes.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return place;
  }
}

/**
 * Buffers for as many parts as are sent at a time. They are reused, because V8 collects all garbage whenever a few
 * megabytes of new buffers have been used: of a dump that went through a file, that took a tenth of the processor time.
 */
export class SendBuffers {
  readonly #free: SendBuffer[] = [];

  take(): SendBuffer {
    return this.#free.pop() ?? new SendBuffer();
  }

  /** Called when nothing in it is needed any more. */
  give(buffer: SendBuffer): void {
    this.#free.push(buffer);
  }
}
