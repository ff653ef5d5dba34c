import { ROW_HASH_MODULE } from './row-hash-module.ts';

/** A number of rows or large objects, and a hash of them that does not depend on their order. */
export interface HashedCount {
  readonly count: number;
  /** Sum of the XXH64 (seed 0) of each, modulo 2^64: 16 lower-case hexadecimal digits. */
  readonly hash: string;
}

/** As declared in row-hash.wat. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly input: WebAssembly.Global<number>;
  readonly inputBytes: WebAssembly.Global<number>;
  readonly count: WebAssembly.Global<bigint>;
  readonly sum: WebAssembly.Global<bigint>;
  readonly ended: WebAssembly.Global<number>;
  /** @returns where it stopped */
  readonly rows: (from: number, to: number) => number;
  readonly update: (from: number, to: number) => void;
  readonly finish: () => void;
  readonly begin: () => void;
}

const MODULE = new WebAssembly.Module(Buffer.from(ROW_HASH_MODULE, 'base64'));

const WIDTH = 64;

/** @returns a sum of hashes, in their form */
export function sumOf(hashes: readonly string[]): string {
  return formatted(hashes.reduce((sum, hash) => sum + BigInt(`0x${hash}`), 0n));
}

function formatted(sum: bigint): string {
  return BigInt.asUintN(WIDTH, sum)
    .toString(16)
    .padStart(WIDTH / 4, '0');
}

/**
 * Counts and hashes rows or large objects, in WebAssembly: several gigabytes a second, of which JavaScript takes a
 * tenth.
 */
export class RowHash {
  /** Memory of the module. Rows that are read into it need not be copied there. */
  readonly input: Buffer;
  readonly #exports: Exports;

  constructor() {
    this.#exports = new WebAssembly.Instance(MODULE).exports as Exports;
    const { memory, input, inputBytes } = this.#exports;
    this.input = Buffer.from(memory.buffer, input.value, inputBytes.value);
  }

  /**
   * Adds rows in COPY's text format, up to the line `\.` if they contain it. A row may begin in one piece and end in
   * another.
   *
   * @returns the bytes after that line; undefined if it has not come yet
   */
  addRows(bytes: Buffer): Buffer | undefined {
    const { rows, ended } = this.#exports;
    ended.value = 0;
    for (let at = 0; at < bytes.length;) {
      const { byteOffset, length } = this.#placed(bytes, at);
      at += rows(byteOffset, byteOffset + length) - byteOffset;
      if (ended.value !== 0) {
        return bytes.subarray(at);
      }
    }
    return undefined;
  }

  /** Adds bytes of one large object. */
  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += this.input.length) {
      const { byteOffset, length } = this.#placed(bytes, at);
      this.#exports.update(byteOffset, byteOffset + length);
    }
  }

  /** Completes one large object. */
  finish(): void {
    this.#exports.finish();
  }

  /** Begins anew. @returns what was added and completed; what is not complete is forgotten */
  take(): HashedCount {
    const { count, sum, begin } = this.#exports;
    begin();
    const taken = { count: Number(count.value), hash: formatted(sum.value) };
    count.value = 0n;
    sum.value = 0n;
    return taken;
  }

  /** As many of the bytes as there is room for, in the memory of the module. */
  #placed(bytes: Buffer, from: number): Buffer {
    const piece = bytes.subarray(from, from + this.input.length);
    if (piece.buffer === this.input.buffer) {
      return piece;
    }
    this.input.set(piece);
    return this.input.subarray(0, piece.length);
  }
}
