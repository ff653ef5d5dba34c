import { describe, expect, test } from '@jest/globals';
import { parseTableDefinition } from '../../../docker/rescue/table-definition.ts';

describe('of a definition, the body and the parents are taken', () => {
  test.each([
    ['CREATE TABLE public.t (\n    a integer\n);\n', ' (\n    a integer)', []],
    ["CREATE UNLOGGED TABLE public.t (\n    a integer\n)\nWITH (fillfactor='70');\n", ' (\n    a integer)', []],
    ['CREATE TABLE public.t (\n);\n', ' ()', []],
    [
      `CREATE TABLE "S ""x"".(y"."T;" (\n    "a,b" text DEFAULT ')('';\nWITH ('::text,\n    CONSTRAINT c CHECK ((a > 0)),\n    "CONSTRAINT" int\n);\n`,
      ` (\n    "a,b" text DEFAULT ')('';\nWITH ('::text,\n    "CONSTRAINT" int)`,
      [],
    ],
    ['CREATE TABLE public.t (\n    a numeric(10,2)\n)\nPARTITION BY RANGE (a);\n', ' (\n    a numeric(10,2))', []],
    ['CREATE TABLE public.t OF public.comp;\n', ' OF public.comp', []],
    ['CREATE TABLE public.t OF public.comp (\n    a NOT NULL\n);\n', ' OF public.comp (\n    a NOT NULL)', []],
    ['CREATE TABLE public.t OF public.comp (\n    CONSTRAINT c CHECK (true)\n);\n', ' OF public.comp ', []],
    [
      'CREATE TABLE public.t (\n    c integer\n)\nINHERITS (public.p, "O".")(");\n',
      ' (\n    c integer)',
      [
        { schema: 'public', name: 'p' },
        { schema: 'O', name: ')(' },
      ],
    ],
  ])('%s', (statement, body, parents) => {
    const found = parseTableDefinition(statement);
    expect({ ...found, body: found?.body.replace(/\n\)$/, ')') }).toEqual({ body, parents });
  });

  test.each(['CREATE VIEW public.v AS SELECT 1;', 'CREATE TABLE t (a int);', 'CREATE TABLE public.t (a int'])(
    'but not of %s',
    (statement) => {
      expect(parseTableDefinition(statement)).toBeUndefined();
    },
  );
});
