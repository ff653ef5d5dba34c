import { DIFFICULT_CONTENTS } from '../docker/support/contents.ts';

const EXTENSIONS = ['btree_gist', 'citext', 'hstore', 'ltree', 'pg_trgm', 'unaccent'];

/** Statements that create tables of extensions, generated columns, and a number of small tables. */
export const furtherContents = (tables: number): readonly string[] => [
  ...EXTENSIONS.map((name) => `CREATE EXTENSION ${name}`),
  `CREATE TABLE extended (name citext PRIMARY KEY, more hstore, path ltree, room int, during tsrange,
    EXCLUDE USING gist (room WITH =, during WITH &&))`,
  `INSERT INTO extended SELECT 'Name ' || i, hstore('key', i::text), ('a.b' || i)::ltree, i, tsrange('2026-01-01', '2026-02-01')
    FROM generate_series(1, 500) i`,
  `CREATE INDEX ON extended USING gin (more)`,
  `CREATE INDEX ON extended USING gist ((name::text) gist_trgm_ops)`,
  `CREATE TABLE generated (net numeric, rate numeric, gross numeric GENERATED ALWAYS AS (net * (1 + rate)) STORED,
    words text, found tsvector GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED)`,
  `INSERT INTO generated (net, rate, words) SELECT i, 0.19, 'word ' || i FROM generate_series(1, 500) i`,
  `DO $$ BEGIN FOR i IN 1..${tables} LOOP EXECUTE format('CREATE TABLE many_%s AS SELECT %s AS i', i, i); END LOOP; END $$`,
];

/** Statements that create contents of every kind that a dump must restore. */
export const CONTENTS: readonly string[] = [...DIFFICULT_CONTENTS, ...furtherContents(2000)];

/** Ten million rows, and a large object of 2 GiB: one byte more than a signed 32-bit integer can count. */
export const LARGE_CONTENTS: readonly string[] = [
  `CREATE TABLE ten_million (id bigint, note text)`,
  `INSERT INTO ten_million SELECT i, 'row ' || i FROM generate_series(1, 10000000) i`,
  `ALTER TABLE ten_million ADD PRIMARY KEY (id)`,
  `SELECT lo_create(2147483)`,
  `DO $$ BEGIN
    FOR i IN 0..2047 LOOP
      PERFORM lo_put(2147483, i::bigint * 1048576, decode(repeat(md5(i::text), 65536), 'hex'));
    END LOOP; END $$`,
];
