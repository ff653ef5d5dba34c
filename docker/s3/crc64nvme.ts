/**
 * CRC-64/NVME, the checksum that S3 has for whole objects, fast enough to keep up with pg_dump: sixteen bytes at a step by
 * tables (M. Kounavis, F. Berry: "A Systematic Approach to Building High Performance, Software-based, CRC Generators",
 * 2005), in WebAssembly, as JavaScript has no 64-bit integers at speed. Values are unsigned 64-bit numbers.
 */

/** x^64 is left out; the lowest power is the highest bit. https://reveng.sourceforge.io/crc-catalogue/17plus.htm */
const POLYNOMIAL = 0x9a6c_9329_ac4b_c9b5n;

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** One is the highest bit, as the lowest power is. */
const ONE = 1n << 63n;

/** Bytes of one step, and tables that it takes. */
const SLICES = 16;

const TABLE_BYTES = 256 * 8;

/** Where bytes to be summed are put in the module's memory, behind the tables. */
const INPUT = SLICES * TABLE_BYTES;

const INPUT_BYTES = 256 * 1024;

const PAGE_BYTES = 64 * 1024;

function timesX(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : (value >> 1n) ^ POLYNOMIAL;
}

/** Table k has the remainder of each byte with k zero bytes behind it. */
function tables(): BigUint64Array {
  const values = new BigUint64Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      value = timesX(value);
    }
    values[byte] = value;
  }
  const remainder = (index: bigint | number) => values[Number(index)] ?? 0n;
  for (let index = 256; index < values.length; index += 1) {
    const before = remainder(index - 256);
    values[index] = (before >> 8n) ^ remainder(before & 0xffn);
  }
  return values;
}

/** Codes of WebAssembly: https://webassembly.github.io/spec/core/appendix/index-instructions.html */
const I32 = 0x7f;
const I64 = 0x7e;
const VOID = 0x40;
const BLOCK = 0x02;
const LOOP = 0x03;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const LOAD_I64 = 0x29;
const LOAD_BYTE_AS_I64 = 0x31;
const CONST_I32 = 0x41;
const CONST_I64 = 0x42;
const LESS_I32 = 0x49;
const EQUAL_ZERO_I32 = 0x45;
const ADD_I32 = 0x6a;
const AND_I32 = 0x71;
const SHIFT_LEFT_I64 = 0x86;
const SHIFT_RIGHT_I64 = 0x88;
const XOR_I64 = 0x85;
const WRAP = 0xa7;

/** A number in the variable length of the format (signed LEB128). */
function number(value: number): readonly number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  return (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
    ? [low]
    : [low | 0x80, ...number(rest)];
}

/** The same for what has no sign: lengths, indexes, offsets. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** Looks up byte `index` of the local `from` in a table. The entry's offset is eight times the byte. */
function lookUp(from: number, index: number, table: number): readonly number[] {
  const shift = 8 * index - 3;
  return [
    ...[GET, from, CONST_I64, ...number(Math.abs(shift)), shift < 0 ? SHIFT_LEFT_I64 : SHIFT_RIGHT_I64],
    ...[WRAP, CONST_I32, ...number(0xff << 3), AND_I32],
    ...[LOAD_I64, 3, ...unsigned(table * TABLE_BYTES)],
  ];
}

/** `while (at < end) { body; at += step }` */
function loop(at: number, end: number, step: number, body: readonly number[]): readonly number[] {
  const atEnd = [GET, at, GET, end, LESS_I32, EQUAL_ZERO_I32];
  const advance = [GET, at, CONST_I32, ...number(step), ADD_I32, SET, at];
  return [BLOCK, VOID, LOOP, VOID, ...atEnd, BRANCH_IF, 1, ...body, ...advance, BRANCH, 0, END, END];
}

/** A module with `memory` and `update(crc: i64, at: i32, bytes: i32): i64`. */
function assemble(): Uint8Array {
  const [crc, at, bytes, end, second] = [0, 1, 2, 3, 4];
  const endAfter = (mask: number) => [GET, at, GET, bytes, CONST_I32, ...number(mask), AND_I32, ADD_I32, SET, end];
  const sixteen = [
    ...[GET, at, LOAD_I64, 0, 0, GET, crc, XOR_I64, SET, crc],
    ...[GET, at, LOAD_I64, 0, 8, SET, second],
    ...Array.from({ length: SLICES }, (_, index) => [
      ...lookUp(index < 8 ? crc : second, index % 8, SLICES - 1 - index),
      ...(index === 0 ? [] : [XOR_I64]),
    ]).flat(),
    ...[SET, crc],
  ];
  const one = [
    ...[GET, crc, GET, at, LOAD_BYTE_AS_I64, 0, 0, XOR_I64, SET, second, ...lookUp(second, 0, 0)],
    ...[GET, crc, CONST_I64, 8, SHIFT_RIGHT_I64, XOR_I64, SET, crc],
  ];
  const code = [
    ...[2, 1, I32, 1, I64],
    ...[...endAfter(-SLICES), ...loop(at, end, SLICES, sixteen)],
    ...[...endAfter(SLICES - 1), ...loop(at, end, 1, one)],
    ...[GET, crc, END],
  ];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const pages = Math.ceil((INPUT + INPUT_BYTES) / PAGE_BYTES);
  return Uint8Array.from([
    ...[0, ...Buffer.from('asm'), 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I64, I32, I32, 1, I64]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('update'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** What is used of it; Node.js has it all, its types do not. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly update: (crc: bigint, at: number, bytes: number) => bigint;
    };
  };
};

const { memory, update } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports;
new BigUint64Array(memory.buffer).set(tables());
const input = new Uint8Array(memory.buffer, INPUT, INPUT_BYTES);

/** The CRC of bytes that follow those of the CRC given. */
export function crc64nvme(bytes: Uint8Array, before = 0n): bigint {
  let crc = before ^ ALL_ONES;
  for (let at = 0; at < bytes.length; at += INPUT_BYTES) {
    const piece = bytes.subarray(at, at + INPUT_BYTES);
    input.set(piece);
    crc = BigInt.asUintN(64, update(crc, INPUT, piece.length));
  }
  return crc ^ ALL_ONES;
}

/** Product of two polynomials, modulo that of the CRC. */
function times(one: bigint, other: bigint): bigint {
  let product = 0n;
  let shifted = other;
  for (let power = ONE; power > 0n; power >>= 1n) {
    if ((one & power) !== 0n) {
      product ^= shifted;
    }
    shifted = timesX(shifted);
  }
  return product;
}

/** The CRC of two pieces, one behind the other, from those of the pieces. */
export function combine(first: bigint, second: bigint, secondBytes: number): bigint {
  let shifted = first;
  // x^8, x^16, x^32, ...: what one, two, four bytes behind it make of a CRC.
  let power = ONE >> 8n;
  for (let bytes = BigInt(secondBytes); bytes > 0n; bytes >>= 1n) {
    if ((bytes & 1n) === 1n) {
      shifted = times(shifted, power);
    }
    power = times(power, power);
  }
  return shifted ^ second;
}

/** As S3 gives and takes it: base64 of the eight bytes, high byte first. */
export function inBase64(crc: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc);
  return bytes.toString('base64');
}
