import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { problemsOf } from '../../../docker/check/finding.ts';
import { privilegeFindings } from '../../../docker/check/privilege-findings.ts';
import { inspectDatabase } from '../../../docker/postgres/database.ts';
import { NOTHING_EXCLUDED } from '../../../docker/postgres/filters/exclusions.ts';
import { identifier, quotedOnOneLine } from '../../../docker/postgres/names/quoting.ts';
import { inspectPrivileges } from '../../../docker/postgres/privileges.ts';
import { ANY_CHARACTER } from '../../support/any-character.ts';
import { Stage } from '../support/stage.ts';

let stage: Stage;
let client: pg.Client;

beforeAll(async () => {
  stage = await Stage.setUp();
  client = await stage.connect();
});

afterAll(async () => {
  await client.end();
  await stage.tearDown();
});

const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Names that PostgreSQL accepts: up to 63 bytes of UTF-8 without NUL or unpaired surrogates. */
const NAME = fc
  .oneof(
    fc.string({ unit: ANY_CHARACTER, minLength: 1, maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(
        '"',
        "'",
        '\\',
        '$',
        '$grant$',
        '\n',
        '\u001b',
        '\u0085',
        '\u2028',
        ' ',
        '.',
        'A',
        'é',
        '☃',
        '%',
        '-- ',
      ),
      minLength: 1,
      maxLength: 8,
    }),
    fc.constantFrom('user', 'select', 'Mixed', '$grant$', '1st', 'a"b', "o'dd", '\\0041', 'U&"x"'),
  )
  .filter((name) => !/\0|\p{Cs}|^pg_|^public$|^none$/u.test(name) && Buffer.byteLength(name) <= 63);

/** The findings for a user. */
async function findingsOf(user: string, major: number) {
  await client.query(`SET LOCAL ROLE ${pg.escapeIdentifier(user)}`);
  const database = await inspectDatabase(client);
  const privileges = await inspectPrivileges(client, database, NOTHING_EXCLUDED);
  await client.query('RESET ROLE');
  return privilegeFindings(privileges, { ...database, major });
}

describe.each([13, 15])('with a server of PostgreSQL %s', (major) => {
  test('the SQL fixes the problems, whatever the names, with each statement on one line', async () => {
    await fc.assert(
      fc.asyncProperty(NAME, NAME, NAME, NAME, async (user, schema, table, column) => {
        const [role, space, relation, serial] = [user, schema, table, column].map((name) => pg.escapeIdentifier(name));
        await client.query('BEGIN');
        try {
          await client.query(`CREATE ROLE ${role}`);
          await client.query(`CREATE SCHEMA ${space}`);
          await client.query(`CREATE TABLE ${space}.${relation} (${serial} serial)`);
          await client.query(`ALTER TABLE ${space}.${relation} ENABLE ROW LEVEL SECURITY`);
          await client.query("SELECT lo_from_bytea(0, 'large')");
          const problems = problemsOf(await findingsOf(user, major));
          expect(problems.map(({ check }) => check)).toEqual(['Tables, sequences', 'Row security', 'Large objects']);
          const lines = problems.flatMap(({ sql }) => sql);
          expect(lines.join('')).not.toMatch(CONTROL);
          await client.query(lines.join('\n'));
          expect(problemsOf(await findingsOf(user, major))).toEqual([]);
        } finally {
          await client.query('ROLLBACK');
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('the server reads an identifier on one line as the same name', async () => {
  await fc.assert(
    fc.asyncProperty(NAME, async (name) => {
      const { fields } = await client.query(`SELECT 1 AS ${identifier(name)}`);
      expect(fields.map((field) => field.name)).toEqual([name]);
      expect(identifier(name)).not.toMatch(CONTROL);
    }),
  );
});

test.each([
  ['plain', 'plain'],
  ['"with space"', '"with space"'],
  ['"back\\slash"', '"back\\slash"'],
  ['"a\nb"', 'U&"a\\000ab"'],
  ['"back\\slash\u001b"', 'U&"back\\\\slash\\001b"'],
])('%j is written as %j', (quoted, written) => {
  expect(quotedOnOneLine(quoted)).toBe(written);
});
