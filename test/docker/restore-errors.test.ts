import { expect, test } from '@jest/globals';

import { RestoreErrors } from '../../docker/restore-errors.ts';

const SETTING = [
  'pg_restore: while INITIALIZING:',
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
  'Command was: SET transaction_timeout = 0;',
];

const GRANT = [
  'pg_restore: while PROCESSING TOC:',
  'pg_restore: from TOC entry 4321; 0 0 ACL TABLE t postgres',
  'pg_restore: error: could not execute query: ERROR:  role "clerk" does not exist',
  'Command was: GRANT SELECT ON TABLE public.t TO clerk;',
];

const COPY = [
  'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"',
  'DETAIL:  Key (a)=(Command was: SET transaction_timeout = 0;) already exists.',
  'CONTEXT:  COPY t, line 1',
];

test.each([
  ['the setting alone', SETTING, 1, 0],
  ['the setting, for each connection', [...SETTING, ...SETTING, ...SETTING], 3, 0],
  ['a grant', GRANT, 0, 1],
  ['a grant between settings', [...SETTING, ...GRANT, ...SETTING], 2, 1],
  ['rows that look like the setting', COPY, 0, 1],
  ['a warning', ['pg_restore: warning: could not set something'], 0, 0],
])('of %s are harmless and serious as many', (_, lines, harmless, serious) => {
  const told: string[] = [];
  const errors = new RestoreErrors((said) => told.push(said));
  for (const line of [...lines, `pg_restore: warning: errors ignored on restore: ${harmless + serious}`]) {
    errors.add(line);
  }
  errors.end();
  expect([errors.harmless, errors.serious.length]).toEqual([harmless, serious]);
  expect(told.filter((said) => said.startsWith('pg_restore: error: '))).toEqual(errors.serious);
  expect(told.join('\n')).not.toContain('errors ignored');
});
