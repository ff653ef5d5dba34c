import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };
const LAST = 0x10ffff;

function characterAt(index: number): string {
  return String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count);
}

/** With this, strings contain well-known words such as `__proto__`, which are of ASCII characters. */
function indexOf(character: unknown): number {
  if (typeof character !== 'string' || !/^[ -~]$/.test(character)) {
    throw new TypeError('Not a printable ASCII character.');
  }
  return character.charCodeAt(0);
}

/**
 * Any character of Unicode, as a unit of strings. With `unit: 'binary'`, fast-check takes a second to list all of them
 * first.
 */
export const ANY_CHARACTER = fc.nat({ max: LAST - SURROGATES.count }).map(characterAt, indexOf);
