import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ArchiveStructure } from '../../../docker/archive/archive-structure.ts';
import { type Census, CensusTaker } from '../../../docker/census/census-taker.ts';
import { hashed } from '../support/hashed.ts';
import { inPieces } from '../support/in-pieces.ts';

interface Table {
  readonly name: string;
  readonly rows: readonly string[];
}

const copyOf = (name: string) => `COPY public.${name} (a) FROM stdin;\n`;

/** As pg_restore writes it. */
const scriptOf = ({ name, rows }: Table) =>
  `\n--\n-- Data for Name: ${name.replaceAll('\n', ' ')}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n${copyOf(name)}` +
  `${rows.map((row) => `${row}\n`).join('')}\\.\n\n\n`;

const objectOf = (oid: number, contents: string, prefix = '\\x') =>
  `SELECT pg_catalog.lo_open('${oid}', 131072);\n` +
  (contents === '' ? '' : `SELECT pg_catalog.lowrite(0, '${prefix}${Buffer.from(contents).toString('hex')}');\n`) +
  'SELECT pg_catalog.lo_close(0);\n\n';

const HEAD = '--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n';

/** Takes the census of a script that is said to have these tables and as many large objects. */
function censusOf(
  expected: readonly string[],
  largeObjects: number,
  script: string,
  sizes: readonly number[] = [65_536],
): Census {
  const taker = new CensusTaker();
  const entry = {
    kind: 'TABLE DATA',
    schema: Buffer.from('public'),
    definition: Buffer.alloc(0),
    hasData: true,
    dependencies: [],
  };
  for (const [index, name] of expected.entries()) {
    const names = { name: Buffer.from(name), copyStatement: Buffer.from(copyOf(name)) };
    taker.expect({ ...entry, ...names, id: index + 1, oid: 16_384 + index, location: Buffer.alloc(9) });
  }
  inPieces(Buffer.from(script), sizes, (piece) => {
    taker.read(piece);
  });
  const blocks = new Map(expected.map((_, index) => [index + 1, { offset: 100 * index, length: 100 }]));
  const structure: ArchiveStructure = { headBytes: 0, headCrc32: 0, locations: new Map(), blocks, largeObjects };
  return taker.end(structure);
}

const ONE: Table = { name: 'one', rows: ['1', '2'] };
const TWO: Table = { name: 'two', rows: [] };

test('rows are counted by table, in whatever pieces the script comes', () => {
  const name = fc.constantFrom(
    'one',
    'two',
    '"a b"',
    '"x\nCOPY public.one (a) FROM stdin;\n1\n\\.\n"',
    '"COPY "',
    '"\n\n"',
  );
  const row = fc.stringMatching(/^[ -[\]-~]{0,20}$/);
  const tables = fc.array(fc.record({ name, rows: fc.array(row, { maxLength: 5 }) }), { maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(tables, sizes, (all, pieces) => {
      const script = `${HEAD}${all.map(scriptOf).join('')}\\unrestrict abc\n`;
      const found = censusOf(
        all.map((table) => table.name),
        0,
        script,
        pieces,
      );
      expect(found.tables).toMatchObject(all.map(({ rows }) => hashed(rows.map((each) => Buffer.from(each)))));
    }),
  );
});

test('a table is described by its number and name, and where its data are', () => {
  expect(censusOf(['größe'], 0, scriptOf({ name: 'größe', rows: ['x'] })).tables).toEqual([
    { oid: 16_384, schema: 'public', name: 'größe', ...hashed([Buffer.from('x')]), offset: 0, length: 100 },
  ]);
});

test.each(['\\x', '\\\\x'])('large objects are counted, with contents written as %sff', (prefix) => {
  const script = `BEGIN;\n\n${objectOf(7, 'abc', prefix)}${objectOf(4_294_967_295, '', prefix)}COMMIT;\n`;
  const { largeObjects } = censusOf([], 2, HEAD + script, [13]);
  const items = [Buffer.from('\0\0\0\x07abc', 'latin1'), Buffer.from('ffffffff', 'hex')];
  expect(largeObjects).toEqual({ ...hashed(items), bytes: 3 });
});

describe('it is an error, and no other number,', () => {
  test.each<readonly [string, readonly string[], number, string, string]>([
    ['if a table is missing', ['one', 'two'], 0, scriptOf(ONE), 'it had the rows of 1 of 2 tables'],
    ['if the rows do not end', ['one'], 0, `${copyOf('one')}1\n2\n`, 'it had the rows of 0 of 1 tables'],
    ['if the last line has no end', ['one'], 0, `${copyOf('one')}1\n\\.`, 'it had the rows of 0 of 1 tables'],
    [
      'if a table comes twice',
      ['one'],
      0,
      scriptOf(ONE) + scriptOf(ONE),
      'after 1 of 1 tables, there was an unexpected COPY',
    ],
    ['if tables are in another order', ['two', 'one'], 0, scriptOf(ONE) + scriptOf(TWO), 'after 0 of 2 tables'],
    ['if a statement has other columns', ['one'], 0, scriptOf(ONE).replace('(a)', '(b)'), 'after 0 of 1 tables'],
    ['if a large object is missing', [], 2, objectOf(7, 'abc'), 'it had 1 of 2 large objects'],
    ['if there is one too many', [], 0, objectOf(7, 'abc'), 'it had 1 of 0 large objects'],
    ['if one is written in another way', [], 1, objectOf(7, 'abc').replace('(0, ', '(1, '), 'about a large object'],
  ])('%s', (_, expected, objects, script, message) => {
    expect(() => censusOf(expected, objects, HEAD + script)).toThrow(message);
  });
});

test('pg_restore is asked for the entries with data, in the order of the archive', () => {
  const taker = new CensusTaker();
  const names = { schema: Buffer.alloc(0), name: Buffer.alloc(0), copyStatement: Buffer.alloc(0), dependencies: [] };
  for (const [id, kind] of [
    [5, 'TABLE DATA'],
    [3, 'BLOBS'],
  ] as const) {
    taker.expect({ ...names, id, kind, oid: 0, hasData: true, definition: Buffer.alloc(0), location: Buffer.alloc(9) });
  }
  expect(taker.entries).toBe('5;\n3;\n');
});
