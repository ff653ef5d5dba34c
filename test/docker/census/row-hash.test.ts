import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import xxhash from 'xxhash-wasm';
import { RowHash, sumOf } from '../../../docker/census/row-hash.ts';

const { h64Raw } = await xxhash();

/** The hash of rows or large objects, by another implementation of XXH64. */
function expected(items: readonly Uint8Array[]): { readonly count: number; readonly hash: string } {
  const sum = items.reduce((total, item) => BigInt.asUintN(64, total + h64Raw(item)), 0n);
  return { count: items.length, hash: sum.toString(16).padStart(16, '0') };
}

/** Calls a function with the bytes in pieces of these sizes. */
function inPieces(bytes: Buffer, sizes: readonly number[], use: (piece: Buffer) => void): void {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    use(bytes.subarray(at, at + size));
    at += size;
  }
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const row = bytes(150).map((array) => Buffer.from(array.map((byte) => (byte === 10 ? 0 : byte))));
const rows = fc.array(
  row.filter((each) => each.toString('latin1') !== '\\.'),
  { maxLength: 40 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
const hash = new RowHash();

test('rows are hashed as by another implementation, whatever the pieces they come in', () => {
  fc.assert(
    fc.property(rows, sizes, (lines, pieces) => {
      const text = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
      inPieces(text, pieces, (piece) => {
        expect(hash.addRows(piece)).toBeUndefined();
      });
      expect(hash.take()).toEqual(expected(lines));
    }),
    { numRuns: 1000 },
  );
});

test('rows end at a line of a backslash and a point, and the next ones are counted anew', () => {
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 4 }), sizes, (tables, pieces) => {
      const end = Buffer.from('\\.\n');
      const text = Buffer.concat(tables.flatMap((lines) => [...lines.flatMap((line) => [line, '\n']), end].map(Buffer.from)));
      const found: unknown[] = [];
      inPieces(text, pieces, (piece) => {
        for (let rest = hash.addRows(piece); rest !== undefined; rest = hash.addRows(rest)) {
          found.push(hash.take());
        }
      });
      expect(found).toEqual(tables.map(expected));
    }),
  );
});

test('rows that look like their end are rows', () => {
  const lines = ['\\..', '\\\\.', '.', '\\', '', 'x\\.'].map((line) => Buffer.from(line));
  expect(hash.addRows(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])))).toBeUndefined();
  expect(hash.take()).toEqual(expected(lines));
});

test('a row may be larger than the memory of the module', () => {
  const line = Buffer.alloc(3_000_017, 'abcdefg');
  inPieces(Buffer.concat([line, Buffer.from('\n')]), [65_536, 1_000_000], (piece) => hash.addRows(piece));
  expect(hash.take()).toEqual(expected([line]));
});

test('large objects are hashed as by another implementation, whatever the pieces they come in', () => {
  fc.assert(
    fc.property(fc.array(bytes(300), { maxLength: 5 }), sizes, (objects, pieces) => {
      for (const object of objects) {
        inPieces(object, pieces, (piece) => {
          hash.add(piece);
        });
        hash.finish();
      }
      expect(hash.take()).toEqual(expected(objects));
    }),
  );
});

test('the order does not count, but how often a row comes does', () => {
  const of = (text: string) => {
    hash.addRows(Buffer.from(text));
    return hash.take();
  };
  expect(of('a\nb\n')).toEqual(of('b\na\n'));
  expect(of('a\na\n')).not.toEqual(of('b\nb\n'));
  expect(of('a\na\na\n').hash).not.toBe(of('a\n').hash);
  expect(sumOf([of('a\n').hash, of('b\n').hash])).toBe(of('a\nb\n').hash);
  expect(sumOf([])).toBe('0000000000000000');
});
