import { expect, test } from '@jest/globals';
import { localeOptions } from '../../../../docker/drill/server/cluster.ts';

const LIBC = { provider: 'libc', collate: 'de_DE.UTF-8', ctype: 'C', name: null, rules: null };

test.each([
  [LIBC, 14, ['--locale=C', '--lc-collate=de_DE.UTF-8', '--lc-ctype=C']],
  [LIBC, 15, ['--locale=C', '--lc-collate=de_DE.UTF-8', '--lc-ctype=C', '--locale-provider=libc']],
  [null, 17, ['--locale=C', '--lc-collate=C', '--lc-ctype=C', '--locale-provider=libc']],
  [
    { ...LIBC, provider: 'icu', collate: 'C', name: 'de-DE', rules: '&V << w' },
    16,
    [
      ...['--locale=C', '--lc-collate=C', '--lc-ctype=C', '--locale-provider=icu', '--icu-locale=de-DE'],
      '--icu-rules=&V << w',
    ],
  ],
  [
    { ...LIBC, provider: 'builtin', collate: 'C', name: 'C.UTF-8' },
    17,
    ['--locale=C', '--lc-collate=C', '--lc-ctype=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ],
])('initdb gives the database the locale %j with PostgreSQL %d', (locale, major, options) => {
  expect(localeOptions(locale, major)).toEqual(options);
});
