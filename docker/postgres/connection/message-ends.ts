/** Type and length. The length counts itself, but not the type. */
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** Errors and notices: fields, each with a zero at its end, and a further zero. */
const WITH_FIELDS: ReadonlySet<number> = new Set(Buffer.from('EN'));

/**
 * Follows the messages of a server, and notices an error or a notice without its end: pg's reader would look for it in
 * the memory behind, and where that ends as well, for ever.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class MessageEnds {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #bodyLeft = 0;
  /** The last bytes of the body, two at most. */
  #last: Buffer = Buffer.alloc(0);

  /** @returns false if a message ends in the chunk that has no end of its own */
  read(chunk: Buffer): boolean {
    let rest = chunk;
    while (rest.length > 0) {
      const taken = this.#headerBytes < HEADER_BYTES ? this.#readHeader(rest) : this.#readBody(rest);
      rest = rest.subarray(taken);
      if (this.#headerBytes === HEADER_BYTES && this.#bodyLeft === 0) {
        if (!this.#isEnded()) {
          return false;
        }
        this.#headerBytes = 0;
        this.#last = Buffer.alloc(0);
      }
    }
    return true;
  }

  #readHeader(bytes: Buffer): number {
    const taken = bytes.copy(this.#header, this.#headerBytes, 0, HEADER_BYTES - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) {
      // A length below its own is for pg's reader to refuse.
      this.#bodyLeft = Math.max(this.#header.readUInt32BE(1) - LENGTH_BYTES, 0);
    }
    return taken;
  }

  #readBody(bytes: Buffer): number {
    const piece = bytes.subarray(0, this.#bodyLeft);
    this.#bodyLeft -= piece.length;
    this.#last = Buffer.concat([this.#last, piece.subarray(-2)]).subarray(-2);
    return piece.length;
  }

  #isEnded(): boolean {
    return (
      !WITH_FIELDS.has(this.#header.readUInt8()) || (this.#last.length > 0 && this.#last.every((byte) => byte === 0))
    );
  }
}
