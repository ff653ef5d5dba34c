import { expect, test } from '@jest/globals';
import type { ArchiveEntry } from '../../../docker/archive/archive-head.ts';
import { refuseDroppedFunction } from '../../../docker/engine/refuse-dropped-function.ts';

function entry(name: string, statement: string): ArchiveEntry {
  const [kind = ''] = /FUNCTION|PROCEDURE|AGGREGATE/.exec(statement) ?? [];
  const none = Buffer.alloc(0);
  const empty = { id: 1, schema: none, definition: none, hasData: false, location: Buffer.alloc(9) };
  return { ...empty, kind, name: Buffer.from(name), beginning: Buffer.from(statement) };
}

test.each([
  ['f()', 'CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql'],
  ['f(integer)', 'CREATE FUNCTION public.f(integer) RETURNS integer\n    LANGUAGE sql'],
  ['f()', 'CREATE FUNCTION public.f(OUT a integer) RETURNS integer\n    LANGUAGE sql'],
  ['f() RETURNS \n(text)', 'CREATE FUNCTION "a.""b".") RETURNS \n"(text) RETURNS void\n    LANGUAGE sql'],
  ['p()', 'CREATE PROCEDURE public.p()\n    LANGUAGE sql'],
  ['p(integer)', 'CREATE PROCEDURE public.p(INOUT a integer)\n    LANGUAGE sql'],
  ['a(*)', 'CREATE AGGREGATE public.a(*) (\n    SFUNC = f'],
  ['a(integer ORDER BY text)', 'CREATE AGGREGATE public.a(integer ORDER BY text) (\n    SFUNC = f'],
  ['f(integer)', ''],
])('%s: %j is a definition', (name, statement) => {
  expect(() => {
    refuseDroppedFunction(entry(name, statement));
  }).not.toThrow();
});

test.each([
  ['f()', 'CREATE FUNCTION public.f() RETURNS \n    LANGUAGE sql'],
  ['f(integer)', 'CREATE OR REPLACE FUNCTION "Ours"."a "" b"() RETURNS \n    LANGUAGE sql'],
  ['p(integer)', 'CREATE PROCEDURE public.p()\n    LANGUAGE sql'],
  ['a(integer)', 'CREATE AGGREGATE public.a() (\n    SFUNC = f'],
])('%s: %j is what pg_dump writes if it was dropped', (name, statement) => {
  expect(() => {
    refuseDroppedFunction(entry(name, statement));
  }).toThrow(expect.objectContaining({ reason: 'tryAgain', message: expect.stringContaining(`the function ${name}`) }));
});
