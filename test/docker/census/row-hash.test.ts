import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RowHash, sumOf } from '../../../docker/census/row-hash.ts';
import { hashed } from '../support/hashed.ts';
import { inPieces } from '../support/in-pieces.ts';

const LINE_FEED = Buffer.from('\n');

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
      const text = Buffer.concat(lines.flatMap((line) => [line, LINE_FEED]));
      inPieces(text, pieces, (piece) => {
        expect(hash.addRows(piece)).toBeUndefined();
      });
      expect(hash.take()).toEqual(hashed(lines));
    }),
    { numRuns: 1000 },
  );
});

test('rows end at a line of a backslash and a point, and the next ones are counted anew', () => {
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 4 }), sizes, (tables, pieces) => {
      const end = Buffer.from('\\.\n');
      const text = Buffer.concat(tables.flatMap((lines) => [...lines.flatMap((line) => [line, LINE_FEED]), end]));
      const found: unknown[] = [];
      inPieces(text, pieces, (piece) => {
        for (let rest = hash.addRows(piece); rest !== undefined; rest = hash.addRows(rest)) {
          found.push(hash.take());
        }
      });
      expect(found).toEqual(tables.map((lines) => hashed(lines)));
    }),
  );
});

test('rows that were read into the memory of the module need no copy', () => {
  const lines = Array.from({ length: 1000 }, (_, index) => Buffer.from(`row ${index}`));
  const bytes = Buffer.concat([...lines.flatMap((line) => [line, LINE_FEED]), Buffer.from('\\.\nrest')]);
  bytes.copy(hash.input);
  expect(hash.addRows(hash.input.subarray(0, bytes.length))?.toString()).toBe('rest');
  expect(hash.take()).toEqual(hashed(lines));
});

test('rows that look like their end are rows', () => {
  const lines = ['\\..', '\\\\.', '.', '\\', '', 'x\\.'].map((line) => Buffer.from(line));
  expect(hash.addRows(Buffer.concat(lines.flatMap((line) => [line, LINE_FEED])))).toBeUndefined();
  expect(hash.take()).toEqual(hashed(lines));
});

test('a row may be larger than the memory of the module', () => {
  const line = Buffer.alloc(3_000_017, 'abcdefg');
  inPieces(Buffer.concat([line, LINE_FEED]), [65_536, 1_000_000], (piece) => hash.addRows(piece));
  expect(hash.take()).toEqual(hashed([line]));
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
      expect(hash.take()).toEqual(hashed(objects));
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
