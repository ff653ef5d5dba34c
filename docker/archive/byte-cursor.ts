/** Reads bytes across chunk boundaries. Its methods yield when they need another chunk. */
export class ByteCursor {
  /** Of the next byte. */
  position = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Adds a chunk, after the one before is used up. It must stay unchanged until it is used up itself. */
  put(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  get isEmpty(): boolean {
    return this.#at === this.#chunk.length;
  }

  /** Moves past bytes. @param onPiece called with each piece of them */
  *advance(count: number, onPiece: (piece: Buffer) => void = () => undefined): Generator<void, void> {
    let missing = count;
    while (missing > 0) {
      if (this.isEmpty) {
        yield;
        continue;
      }
      const piece = this.#chunk.subarray(this.#at, this.#at + missing);
      this.#at += piece.length;
      this.position += piece.length;
      missing -= piece.length;
      onPiece(piece);
    }
  }

  /** Copies a few bytes. */
  *read(count: number): Generator<void, Buffer> {
    const bytes = Buffer.allocUnsafe(count);
    let length = 0;
    yield* this.advance(count, (piece) => {
      length += piece.copy(bytes, length);
    });
    return bytes;
  }
}
