import { DIFFICULT_CONTENTS } from './contents.ts';

/** What looks like rows, or large objects, in a script, and is none. */
const PLANTED = String.raw`
COPY public.plain (a, b) FROM stdin;
1	planted
\.
SELECT pg_catalog.lo_open('4711', 131072);
SELECT pg_catalog.lowrite(0, '\x00');
SELECT pg_catalog.lo_close(0);
`;

/** Statements that create rows and large objects of every kind that a dump restores. */
export const RESTORABLE_CONTENTS: readonly string[] = [
  ...DIFFICULT_CONTENTS,
  `CREATE TABLE plain (a int, b text)`,
  `INSERT INTO plain SELECT i, 'row ' || i FROM generate_series(1, 100) i`,
  // Planted text.
  `CREATE FUNCTION planted() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN /* ${PLANTED} */ END $f$`,
  `COMMENT ON TABLE plain IS '${PLANTED.replaceAll("'", "''")}'`,
  `COMMENT ON LARGE OBJECT 4711 IS '${PLANTED.replaceAll("'", "''")}'`,
  `CREATE SEQUENCE "s\nCOPY public.plain (a, b) FROM stdin;\n1\t2\n\\."`,
  `CREATE TABLE "t\nCOPY public.plain (a, b) FROM stdin;\n\\.\n" AS SELECT E'\\\\.' AS "c (d) FROM stdin;\n"`,
  // Rows that belong to other tables, too, or to none.
  'CREATE TABLE heir (c int) INHERITS (plain)',
  `INSERT INTO heir VALUES (1, 'of the heir', 2)`,
  `CREATE TYPE mood AS ENUM ('sad', 'ok')`,
  'CREATE TABLE moods (mood mood, note text) PARTITION BY HASH (mood)',
  'CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
  'CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
  `INSERT INTO moods VALUES ('sad', 'a'), ('ok', 'b'), ('ok', 'b')`,
  // Values whose text depends on settings.
  'CREATE TABLE valued (t timestamptz, i interval, f float8, r float4, y bytea, m money, d date, c regclass)',
  `INSERT INTO valued SELECT timestamptz '2026-01-01 00:00Z' + i * interval '1 day', i * interval '1 month -1 day 2.5 s',
     i / 3.0, i / 7.0, sha256(i::text::bytea), (i * 1234.5)::numeric::money, date '0044-03-15 BC' + i, 'plain'
   FROM generate_series(1, 50) i`,
  'SELECT lo_create(4713)',
];

/** The same, and rows that are not easily counted. */
export const COUNTED_CONTENTS: readonly string[] = [
  ...RESTORABLE_CONTENTS,
  // A table of an extension that has rows of its own, which the extension does not create.
  'CREATE EXTENSION citext',
  'CREATE TABLE configured (k citext, own boolean)',
  `INSERT INTO configured VALUES ('of the extension', true), ('of the user', false)`,
  'ALTER EXTENSION citext ADD TABLE configured',
  `UPDATE pg_extension SET extconfig = ARRAY['configured'::regclass::oid], extcondition = ARRAY['WHERE NOT own']
     WHERE extname = 'citext'`,
];

/** Settings that change how a session writes values. */
export const SETTINGS: Readonly<Record<string, string>> = {
  TimeZone: 'Asia/Kathmandu',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '0',
  bytea_output: 'escape',
};
