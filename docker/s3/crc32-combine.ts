/** The CRC32 of bytes of which two parts are known: https://github.com/madler/zlib/blob/develop/crc32.c */

/** The polynomial, its bits in reverse order. */
const POLYNOMIAL = 0xedb88320;

/** x^0, in this order of bits. */
const ONE = 0x80000000;

/** Product of two polynomials modulo the one of CRC32. */
function multiply(one: number, other: number): number {
  let product = 0;
  let factor = other;
  for (let bits = one; bits !== 0; bits <<= 1) {
    if (bits < 0) {
      product ^= factor;
    }
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product;
}

/** x^(8 n) modulo the polynomial. */
function powerOfBytes(count: number): number {
  let power = ONE | 0;
  // x^8
  let square = 0x00800000;
  for (let left = count; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = multiply(power, square);
    }
    square = multiply(square, square);
  }
  return power;
}

/**
 * @param after CRC32 of what follows
 * @param bytes of what follows
 * @returns the CRC32 of both
 */
export function combineCrc32(before: number, after: number, bytes: number): number {
  return (multiply(powerOfBytes(bytes), before | 0) ^ after) >>> 0;
}
