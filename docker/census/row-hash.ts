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

/** Counts and hashes rows or large objects, in WebAssembly: several gigabytes a second, of which JavaScript takes a tenth. */
export class RowHash {
  readonly #exports: Exports;
  readonly #input: Uint8Array;

  constructor() {
    this.#exports = new WebAssembly.Instance(MODULE).exports as Exports;
    const { memory, input, inputBytes } = this.#exports;
    this.#input = new Uint8Array(memory.buffer, input.value, inputBytes.value);
  }

  /**
   * Adds rows in COPY's text format, up to the line `\.` if they contain it. A row may begin in one piece and end in another.
   *
   * @returns the bytes after that line; undefined if it has not come yet
   */
  addRows(bytes: Buffer): Buffer | undefined {
    const { rows, input, ended } = this.#exports;
    ended.value = 0;
    for (let at = 0; at < bytes.length;) {
      at += rows(input.value, this.#copy(bytes, at)) - input.value;
      if (ended.value !== 0) {
        return bytes.subarray(at);
      }
    }
    return undefined;
  }

  /** Adds bytes of one large object. */
  add(bytes: Buffer): void {
    const { update, input } = this.#exports;
    for (let at = 0; at < bytes.length; at += this.#input.length) {
      update(input.value, this.#copy(bytes, at));
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

  /** Copies as many bytes as there is room for. @returns where they end */
  #copy(bytes: Buffer, from: number): number {
    const piece = bytes.subarray(from, from + this.#input.length);
    this.#input.set(piece);
    return this.#exports.input.value + piece.length;
  }
}
