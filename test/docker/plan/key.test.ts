import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dumpKey, globalsKey, nameInKey } from '../../../docker/plan/key.ts';
import { ANY_CHARACTER } from '../../support/any-character.ts';

const WHEN = '2026-11-22T08:00:00Z';

test.each([
  ['prod/app', 'app', 'prod/app/app-20261122T080000Z.dmp'],
  ['prod/app', 'naïve "db" 日本', 'prod/app/naïve "db" 日本-20261122T080000Z.dmp'],
  ['prod/app', '../../etc', 'prod/app/..%2F..%2Fetc-20261122T080000Z.dmp'],
  ['prod/app', 'a%2Fb', 'prod/app/a%252Fb-20261122T080000Z.dmp'],
  ['prod/app', 'two\nlines', 'prod/app/two%0Alines-20261122T080000Z.dmp'],
  ['a/../b', 'app', 'a/%2E%2E/b/app-20261122T080000Z.dmp'],
  ['/prod', 'app', '/prod/app-20261122T080000Z.dmp'],
])('secret %j, database %j', (secret, database, key) => {
  expect(dumpKey(secret, database, WHEN)).toBe(key);
});

const secretName = fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,512}$/);
const database = fc
  .string({ unit: ANY_CHARACTER, minLength: 1, maxLength: 63 })
  .filter((name) => Buffer.byteLength(name) <= 63);

test('different secrets and databases have different keys', () => {
  fc.assert(
    fc.property(secretName, database, secretName, database, (secret, name, otherSecret, otherName) => {
      fc.pre(secret !== otherSecret || name !== otherName);
      expect(dumpKey(secret, name, WHEN)).not.toBe(dumpKey(otherSecret, otherName, WHEN));
    }),
  );
});

test('databases whose names are almost the same have different keys', () => {
  fc.assert(
    fc.property(database, (name) => {
      const variants = [
        ...[name, nameInKey(name), encodeURIComponent(name), `${name}-20261122T080000Z`, name.slice(1)],
        ...[name.toUpperCase(), name.toLowerCase(), name.normalize('NFC'), name.normalize('NFD'), ` ${name}`],
      ];
      const names = [...new Set(variants)];
      expect(new Set(names.map((one) => dumpKey('prod/app', one, WHEN))).size).toBe(names.length);
    }),
  );
});

test('no object of a database is one of another, or holds the roles', () => {
  const objectsOf = (name: string) => {
    const key = dumpKey('prod/app', name, WHEN);
    return [key, `${key}.json`, `${key}.drill-20261122T080000Z.json`];
  };
  const odd = fc.constantFrom('globals', 'globals-20261122T080000Z.sql', 'a-20261122T080000Z.dmp.json', '*', '-', 'A');
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(database, odd), { minLength: 2 }), (names) => {
      const keys = [...names.flatMap(objectsOf), globalsKey('prod/app', WHEN)];
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test('every key is within the limit of S3, stays in its folder and contains no control characters', () => {
  fc.assert(
    fc.property(secretName, database, (secret, name) => {
      const key = dumpKey(secret, name, WHEN);
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
      expect(key.split('/')).not.toContain('..');
      expect(key.split('/')).not.toContain('.');
      expect(key.split('/')).toHaveLength(secret.split('/').length + 1);
      expect(key).not.toMatch(/\p{Cc}/u);
    }),
  );
});
