import pg from 'pg';
import { Failure } from '../failure.ts';
import { FEW, listed } from '../listed.ts';
import type { Database } from '../postgres/database.ts';
import type { Privileges } from '../postgres/privileges.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** The checks of this file, in order. */
export const PRIVILEGE_CHECKS = ['Tables, sequences', 'Row security', 'Large objects', 'Left out'] as const;

const [TABLES, ROW_SECURITY, LARGE_OBJECTS, LEFT_OUT] = PRIVILEGE_CHECKS;

/** First major with the role pg_read_all_data. */
const READ_ALL_DATA_SINCE = 14;

/** One GRANT for each object that the user cannot read. */
function grants({ user, schemas, tables, sequences }: Privileges): readonly string[] {
  return [
    ...schemas.map((name) => `GRANT USAGE ON SCHEMA ${name} TO ${user};`),
    ...tables.map((name) => `GRANT SELECT ON TABLE ${name} TO ${user};`),
    ...sequences.map((name) => `GRANT SELECT ON SEQUENCE ${name} TO ${user};`),
  ];
}

function tables(privileges: Privileges, { major }: Database): Finding {
  const { user, unreadable } = privileges;
  if (unreadable.length === 0) {
    return ok(TABLES, 'all readable');
  }
  const failure = new Failure(
    'refused',
    `The user ${user} may not read ${listed(unreadable, FEW)}: grant it USAGE on the schemas and SELECT on the tables and ` +
      'sequences, or the role pg_read_all_data (PostgreSQL 14 and later).',
  );
  const each = grants(privileges);
  return problem(
    TABLES,
    failure,
    major < READ_ALL_DATA_SINCE
      ? each
      : [
          '-- All tables and sequences, including future ones; on RDS, run it as the master user.',
          `GRANT pg_read_all_data TO ${user};`,
          '-- Or instead, only these:',
          ...each.map((statement) => `-- ${statement}`),
        ],
  );
}

/** Who may grant BYPASSRLS: https://www.postgresql.org/docs/current/sql-alterrole.html */
function rowSecurity({ user, filtered, filteredOwners }: Privileges): Finding {
  if (filtered.length === 0) {
    return ok(ROW_SECURITY, 'hides no rows from this user');
  }
  const failure = new Failure(
    'refused',
    `The user ${user} is subject to row-level security on ${listed(filtered, FEW)}, which would hide rows: dump as a role ` +
      'with BYPASSRLS, or as the owner. A policy that allows all rows does not help: pg_dump refuses to dump a table ' +
      'if any policy applies to its user.',
  );
  const instead = filteredOwners.map((owner) => `-- GRANT ${owner} TO ${user};`);
  return problem(ROW_SECURITY, failure, [
    '-- As a superuser or, on PostgreSQL 16 and later, as a role with BYPASSRLS.',
    `ALTER ROLE ${user} BYPASSRLS;`,
    ...(instead.length === 0 ? [] : ["-- Or instead, all of the owner's rights, including writing:", ...instead]),
  ]);
}

/** Dollar-quotes a text, with a tag that the text does not contain. */
function dollarQuoted(text: string): string {
  let tag = '$grant$';
  for (let number = 1; text.includes(tag); number += 1) {
    tag = `$grant${number}$`;
  }
  return `${tag}${text}${tag}`;
}

function largeObjects({ user, unreadableLargeObjects: count, exampleLargeObject: example }: Privileges): Finding {
  if (count === 0) {
    return ok(LARGE_OBJECTS, 'all readable');
  }
  const which = count === 1 ? `the large object ${example}` : `${count} large objects, for example ${example}`;
  const failure = new Failure(
    'refused',
    `The user ${user} may not read ${which}: grant it SELECT on each (pg_read_all_data does not cover them), or dump as ` +
      'their owner.',
  );
  const grant = `'GRANT SELECT ON LARGE OBJECT ' || id || ${pg.escapeLiteral(` TO ${user}`)}`;
  const own = "SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE pg_catalog.pg_has_role(lomowner, 'USAGE')";
  return problem(LARGE_OBJECTS, failure, [
    '-- As a superuser, or as each of their owners. Run it again for large objects that are created later.',
    `DO ${dollarQuoted(`DECLARE id oid; BEGIN FOR id IN ${own} LOOP EXECUTE ${grant}; END LOOP; END`)};`,
  ]);
}

function leftOut({ foreign, unlogged, subscriptions, unmarked, hiddenMappings }: Privileges): Finding {
  const parts = [
    ...(foreign.length === 0 ? [] : [`rows of the foreign tables ${listed(foreign, FEW)}, which are on other servers`]),
    ...(unlogged.length === 0
      ? []
      : [`rows of the unlogged tables ${listed(unlogged, FEW)}, which a replica does not have: dump the primary`]),
    ...(subscriptions.length === 0
      ? []
      : [`subscriptions, which pg_dump only dumps as a superuser: ${listed(subscriptions, FEW)}`]),
    ...(unmarked.length === 0
      ? []
      : [
          `rows of the tables ${listed(unmarked, FEW)}, which belong to an extension that does not have them dumped ` +
            '(pg_extension_config_dump): they are only what CREATE EXTENSION puts into them',
        ]),
    ...(hiddenMappings.length === 0
      ? []
      : [
          `options, such as passwords, of user mappings that this user may not see: ${listed(hiddenMappings, FEW)}. Superusers ` +
            'see all, and the user of a mapping with USAGE on its server its own',
        ]),
  ];
  return parts.length === 0
    ? ok(
        LEFT_OUT,
        'no foreign tables, hidden user mappings, skipped subscriptions or tables of extensions, or unlogged tables of a replica',
      )
    : warning(LEFT_OUT, `a dump will not contain ${parts.join('; nor ')}`);
}

/** Findings about the privileges of the user. */
export function privilegeFindings(privileges: Privileges, database: Database): readonly Finding[] {
  return [tables(privileges, database), rowSecurity(privileges), largeObjects(privileges), leftOut(privileges)];
}
