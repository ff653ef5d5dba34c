import { expect, test } from '@jest/globals';
import { checkPartitions } from '../../../../docker/restore/target/encoding.ts';

const target = { host: 'db.example.com', port: 5432, user: 'u', password: 'p', database: 'd' };

// As PostgreSQL 16 has them.
const locale = { provider: 'icu', collate: 'C', ctype: 'C', name: 'de-DE', rules: "&a < 'g'" };

test('a locale without the rules of the dumped one is another, by which rows belong to other partitions', () => {
  const dumped = { encoding: 'UTF8', locale, partitionsDependOn: ['locale'] as const };
  const into = (rules: string | null) => () => {
    checkPartitions(dumped, { encoding: 'UTF8', locale: { ...locale, rules } }, target, false);
  };
  expect(into(null)).toThrow("the locale de-DE of icu, ICU_RULES '&a < ''g''', LC_COLLATE C, LC_CTYPE C");
  expect(into(locale.rules)).not.toThrow();
});
