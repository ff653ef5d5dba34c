import xxhash from 'xxhash-wasm';
import type { HashedCount } from '../../../docker/census/row-hash.ts';

const implementation = await xxhash();

/** Number and hash of rows or large objects, by another implementation of XXH64. */
export function hashed(items: readonly Uint8Array[]): HashedCount {
  const sum = items.reduce((total, item) => BigInt.asUintN(64, total + implementation.h64Raw(item)), 0n);
  return { count: items.length, hash: sum.toString(16).padStart(16, '0') };
}
