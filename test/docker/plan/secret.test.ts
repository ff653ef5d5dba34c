import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../../docker/failure.ts';
import { givenBy } from '../../../docker/plan/secret-fields.ts';
import type { Destination } from '../../../docker/plan/secret-schema.ts';
import { parseConnectionSettings, parseDumpSettings } from '../../../docker/plan/secret.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';
import { ANY_CHARACTER } from '../../support/any-character.ts';

const DESTINATION: Destination = { buckets: ['dumps', 'more-dumps'], retentionDays: 120 };

const OURS = {
  username: 'dumper',
  password: 'p',
  databasename: 'app',
  endpoint: 'db.example.com',
  engine: 'postgres',
  bucketname: 'more-dumps',
};

const RDS = {
  engine: 'postgres',
  host: 'db.example.com',
  username: 'dumper',
  password: 'p',
  dbname: 'app',
  port: 5433,
};

function parse(value: unknown) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const { server, ...others } = parseDumpSettings(
    givenBy({ name: 'prod/app', value: text, tags: new Map() }),
    DESTINATION,
  );
  return { ...server, ...others };
}

function refusalOf(value: unknown): Failure {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof Failure) {
      return error;
    }
    throw error;
  }
  throw new Error('The secret was not refused.');
}

test("AutoDump's own format is parsed", () => {
  expect(parse(OURS)).toEqual({
    host: 'db.example.com',
    port: 5432,
    user: 'dumper',
    password: 'p',
    databases: { kind: 'one', name: 'app' },
    bucket: 'more-dumps',
    filters: NO_FILTERS,
    parallel: 1,
    assertions: [],
  });
});

test('the format of RDS is parsed, and the bucket defaults to the first', () => {
  expect(parse(RDS)).toEqual({
    host: 'db.example.com',
    port: 5433,
    user: 'dumper',
    password: 'p',
    databases: { kind: 'one', name: 'app' },
    bucket: 'dumps',
    retention: 'stack',
    filters: NO_FILTERS,
    parallel: 1,
    assertions: [],
  });
});

test("AutoDump's names take precedence over those of RDS", () => {
  expect(parse({ ...RDS, endpoint: 'replica.example.com', databasename: 'other' })).toMatchObject({
    host: 'replica.example.com',
    databases: { kind: 'one', name: 'other' },
  });
});

test.each(['postgres', 'postgresql', 'aurora-postgresql', 'Postgres', 'PostgreSQL', 'Aurora-PostgreSQL'])(
  'engine %s is accepted',
  (engine) => {
    expect(parse({ ...OURS, engine }).host).toBe('db.example.com');
  },
);

test.each([
  [{ port: '6432' }, 6432],
  [{ port: 6432 }, 6432],
  [{ endpoint: 'db.example.com:6432' }, 6432],
  [{ endpoint: 'db.example.com:6432', port: '6432' }, 6432],
])('the port of %j is %d', (fields, port) => {
  expect(parse({ ...OURS, ...fields })).toMatchObject({ host: 'db.example.com', port });
});

test.each([
  [{ ssl: true }, 'verify-full'],
  [{ ssl: 'true' }, 'verify-full'],
  [{ ssl: 'True' }, 'verify-full'],
  [{ ssl: true, sslmode: 'verify-full' }, 'verify-full'],
  [{ ssl: false }, undefined],
  [{ ssl: 'false', sslmode: 'disable' }, 'disable'],
])('%j means the TLS mode %p', (fields, mode) => {
  expect(parse({ ...RDS, ...fields }).sslMode).toBe(mode);
});

test.each([
  ['sslMode', 'sslmode'],
  ['SSLMODE', 'sslmode'],
  ['ssl_mode', 'sslmode'],
  ['SSL', 'ssl'],
  ['bucketName', 'bucketname'],
  ['bucket-name', 'bucketname'],
  ['Port', 'port'],
  ['port ', 'port'],
  ['db_name', 'dbname'],
  ['DatabaseName', 'databasename'],
  ['Host', 'host'],
  ['Pooler', 'pooler'],
  ['userName', 'username'],
  ['sslmode\u00A0', 'sslmode'],
  ['\u200Bsslmode', 'sslmode'],
  ['port\t', 'port'],
  ['ssl\u2011mode', 'sslmode'],
  ['ssl.mode', 'sslmode'],
])('the key %p is refused: it must be written %s', (key, field) => {
  const value = { ...RDS, bucketname: 'dumps', [key]: 'secret-value' };
  const { reason, message } = refusalOf(value);
  expect(reason).toBe('badSecret');
  expect(message).toContain(`"${key}" must be written ${field}`);
  expect(message).not.toContain('secret-value');
});

test.each<readonly [unknown, unknown]>([
  ['*', { kind: 'all' }],
  [['*'], { kind: 'list', names: ['*'] }],
  [['b', 'a:b', 'a,b', '-'], { kind: 'list', names: ['b', 'a:b', 'a,b', '-'] }],
  ['-', { kind: 'one', name: '-' }],
  ['a:b,c', { kind: 'one', name: 'a:b,c' }],
])('databasename %j', (databasename, databases) => {
  expect(parse({ ...OURS, databasename })).toMatchObject({ databases });
});

test.each(['*', ['app'], ['app', 'other']])('a restore needs one database, and not %j', (databasename) => {
  const given = givenBy({ name: 'prod/app', value: JSON.stringify({ ...OURS, databasename }), tags: new Map() });
  expect(() => parseConnectionSettings(given)).toThrow('databasename must be the name of one database');
});

test('blanks around values do not matter, except where they may be part of it', () => {
  const fields = { engine: ' postgres', host: 'db.example.com\n', port: '6432 ', ssl: ' true', bucketname: '\tdumps' };
  const exact = { username: ' dumper', password: 'p ', dbname: 'app ' };
  expect(parse({ ...fields, ...exact })).toEqual({
    host: 'db.example.com',
    port: 6432,
    sslMode: 'verify-full',
    filters: NO_FILTERS,
    parallel: 1,
    assertions: [],
    bucket: 'dumps',
    retention: 'stack',
    user: ' dumper',
    password: 'p ',
    databases: { kind: 'one', name: 'app ' },
  });
});

test.each([
  ['SELECT true', ['SELECT true']],
  [
    [' SELECT true ; ', 'VALUES (true)'],
    ['SELECT true', 'VALUES (true)'],
  ],
])('the assertions %j are %j', (drillassert, assertions) => {
  expect(parse({ ...OURS, drillassert })).toMatchObject({ assertions });
});

test.each([
  [[';'], 'drillassert has an empty query: remove it'],
  [true, 'drillassert must be a query, or a list of queries'],
  [[7], 'drillassert must be text'],
])('the assertions %j are refused', (drillassert, problem) => {
  expect(refusalOf({ ...OURS, drillassert }).message).toContain(problem);
});

test('a pooler is only known to pool sessions if the secret says so', () => {
  expect(parse({ ...OURS, pooler: 'session' }).pooler).toBe('session');
  expect(parse(OURS).pooler).toBeUndefined();
});

test('keys for others are ignored', () => {
  expect(parse({ ...OURS, dbInstanceIdentifier: 'x', masterarn: 'y', comment: 'z' }).host).toBe('db.example.com');
});

test('any password is passed on unchanged', () => {
  const password = fc.string({ unit: ANY_CHARACTER, minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(password, (text) => {
      expect(parse({ ...OURS, password: text }).password).toBe(text);
    }),
  );
});

test('one error names every missing field', () => {
  const { reason, message } = refusalOf({});
  expect(reason).toBe('badSecret');
  for (const field of ['username', 'password', 'databasename', 'endpoint', 'engine']) {
    expect(message).toContain(`${field} is missing`);
  }
  expect(message).toContain('prod/app');
});

describe('an invalid field is named, with the allowed values', () => {
  test.each([
    [
      { engine: 'mysql' },
      'engine is mysql, but AutoDump dumps only PostgreSQL: it must be postgres or postgresql or aurora-postgresql',
    ],
    [{ engine: 'sqlserver-ex' }, 'engine is sqlserver-ex'],
    [{ bucketname: 'elsewhere' }, 'bucketname must be one of dumps, more-dumps'],
    [{ sslmode: 'on' }, 'sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full'],
    [{ engine: 'MySQL' }, 'engine is MySQL, but AutoDump dumps only PostgreSQL'],
    [{ pooler: 'transaction' }, 'pooler must be session, or left out'],
    [{ ssl: 'on' }, 'ssl must be true or false'],
    [{ ssl: 1 }, 'ssl must be true or false'],
    [{ ssl: true, sslmode: 'require' }, 'ssl is true, which means sslmode verify-full, but sslmode differs'],
    [{ ssl: false, sslmode: 'verify-full' }, 'ssl is false, but sslmode demands TLS'],
    [{ port: 0 }, 'port must be a whole number from 1 to 65535'],
    [{ port: '5432.5' }, 'port must be a whole number'],
    [{ port: null }, 'port must be a number'],
    [{ port: 5432, endpoint: 'db.example.com:6432' }, 'port differs from the port in endpoint'],
    [{ endpoint: 'postgres://db.example.com' }, 'endpoint must be a host name or an IP address'],
    [{ endpoint: undefined, host: '/var/run/postgresql' }, 'host must be a host name'],
    [{ databasename: 'ä'.repeat(32) }, 'databasename is longer than the 63 bytes'],
    [{ databasename: ['app', 'ä'.repeat(32)] }, 'databasename is longer than the 63 bytes'],
    [{ databasename: [] }, 'databasename is an empty list'],
    [{ databasename: ['app', ''] }, 'databasename is empty'],
    [{ databasename: ['app', 'app'] }, 'databasename names a database twice'],
    [{ databasename: ['app', 7] }, 'databasename must be text, or a list of names'],
    [{ databasename: null }, 'databasename must be text, or a list of names'],
    [{ username: '' }, 'username is empty'],
    [{ username: 7 }, 'username must be text'],
    [{ password: 'a\0b' }, 'password must not contain'],
    [{ password: 'a\ud800b' }, 'password must not contain'],
  ])('%j', (fields, problem) => {
    const { reason, message } = refusalOf({ ...OURS, ...fields });
    expect(reason).toBe('badSecret');
    expect(message).toContain(problem);
  });
});

test.each(['\uFEFF', '\u00EF\u00BB\u00BF'])('a byte order mark is named', (mark) => {
  expect(refusalOf(mark + JSON.stringify(OURS)).message).toContain('begins with a byte order mark');
});

test.each([
  ['{\u201Cusername\u201D: \u201Ca\u201D}', 'typographic quotation marks'],
  ['{\u00A0"username": "a"}', 'no-break spaces'],
  ['{"username":\u200B "a"}', 'no-break spaces'],
  ['{"username": "\u00A0\u201Ca",}', 'is not valid JSON'],
  [JSON.stringify(JSON.stringify(OURS)), 'perhaps encoded twice'],
])('what is hard to see is named: %j', (value, reason) => {
  expect(refusalOf(value).message).toContain(reason);
});

test.each(['not json', '"text"', '[]', 'null', '{"username": "a" "password"}'])('%s is refused', (value) => {
  expect(refusalOf(value).reason).toBe('badSecret');
});

test('no refusal shows a value', () => {
  // Long enough not to occur in a message by chance.
  const value = fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 40 });
  const fields = [
    'username',
    'password',
    'databasename',
    'endpoint',
    'engine',
    'bucketname',
    'port',
    'sslmode',
    'host',
    'dbname',
    'ssl',
    'sslMode',
  ];
  const secret = fc.record(
    Object.fromEntries(
      fields.map((field) => [
        field,
        fc.oneof(
          value,
          value.map((text) => [text]),
        ),
      ]),
    ),
    {
      requiredKeys: [],
    },
  );
  const texts = fc.oneof(
    secret.map((object) => ({ text: JSON.stringify(object), values: Object.values(object).flat() })),
    value.map((text) => ({ text, values: [text] })),
    secret.map((object) => ({ text: JSON.stringify(object).slice(0, -1), values: Object.values(object).flat() })),
  );
  fc.assert(
    fc.property(texts, ({ text, values }) => {
      try {
        parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        const { message } = error as Failure;
        for (const shown of values) {
          expect(message).not.toContain(shown);
        }
      }
    }),
  );
});
