import { expect, test } from '@jest/globals';
import type { Role } from '../../../../docker/postgres/needs/role-needs.ts';
import { missingRoles } from '../../../../docker/postgres/needs/role-statements.ts';
import { PLAIN_ROLE } from '../../support/plain-role.ts';

function role(name: string, given: Partial<Role> = {}): Role {
  return { name, uses: [], ...PLAIN_ROLE, memberOf: [], settings: [], securityLabels: [], parameters: [], ...given };
}

/** As PostgreSQL 18 has them after `master`, with CREATEROLE, has created the others and granted one to the other. */
const OF_18 = [
  role('master', {
    memberOf: ['group', 'member'].map((name) => ({ role: name, admin: true, inherit: false, set: false })),
  }),
  role('group'),
  role('member', { inherit: false, memberOf: [{ role: 'group', admin: false, inherit: true, set: false }] }),
];

function compared(needed: readonly Role[], major: number, ...existing: readonly string[]) {
  const { statements, unsupported } = missingRoles(needed, { major, roles: new Set(existing), user: 'master' });
  return { sql: statements.map(({ sql }) => sql), unsupported };
}

const CREATED = ['CREATE ROLE "group";', 'CREATE ROLE "member" NOINHERIT;'];

test('memberships have the options of PostgreSQL 16, but for what the creator of a role has anyway', () => {
  expect(compared(OF_18, 16, 'master')).toEqual({
    sql: [...CREATED, 'GRANT "group" TO "member" WITH INHERIT TRUE, SET FALSE;'],
    unsupported: [],
  });
});

test.each([null, false])('a member that exists inherits what the dumped one did, as PostgreSQL says: %s', (inherit) => {
  const member = role('member', { inherit: false, memberOf: [{ role: 'group', admin: false, inherit, set: null }] });
  expect(compared([role('group'), member], 16, 'member').sql.at(-1)).toBe(
    'GRANT "group" TO "member" WITH INHERIT FALSE;',
  );
  expect(compared([role('group'), member], 16).sql.at(-1)).toBe('GRANT "group" TO "member";');
  expect(compared([role('group'), member], 15, 'member').sql.at(-1)).toBe('GRANT "group" TO "member";');
});

test('an older server is given no membership that would allow more there', () => {
  expect(compared(OF_18, 15, 'master')).toEqual({
    sql: CREATED,
    unsupported: ['"master" in "group"', '"master" in "member"', '"member" in "group"'].map(
      (which) => `${which}, with options of PostgreSQL 16`,
    ),
  });
});

test('a role has its grants on parameters, its comment and its labels, each by a statement of its own', () => {
  const given = role('a', {
    comment: "it's\nours",
    securityLabels: [{ provider: 'anon', label: 'MASKED' }],
    parameters: [
      { parameter: 'my.Key', privilege: 'SET', grantable: true },
      { parameter: 'log_min_messages', privilege: 'ALTER SYSTEM', grantable: false },
    ],
  });
  expect(compared([given], 15).sql).toEqual([
    'CREATE ROLE "a";',
    'GRANT SET ON PARAMETER "my"."Key" TO "a" WITH GRANT OPTION;',
    'GRANT ALTER SYSTEM ON PARAMETER "log_min_messages" TO "a";',
    String.raw`COMMENT ON ROLE "a" IS U&'it''s\000aours';`,
    `SECURITY LABEL FOR "anon" ON ROLE "a" IS 'MASKED';`,
  ]);
});

test('a predefined role that the server does not have is named', () => {
  const member = role('a', { memberOf: [{ role: 'pg_maintain', admin: false, inherit: null, set: null }] });
  expect(compared([member], 15)).toEqual({
    sql: ['CREATE ROLE "a";'],
    unsupported: ['"a" in "pg_maintain", which this server does not have'],
  });
});

test('roles and memberships that exist are left as they are', () => {
  expect(compared(OF_18, 18, 'master', 'group', 'member')).toEqual({ sql: [], unsupported: [] });
});
