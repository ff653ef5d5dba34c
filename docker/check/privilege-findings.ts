import pg from 'pg';
import { Failure } from '../failure.ts';
import type { Database } from '../postgres/database.ts';
import type { Privileges } from '../postgres/privileges.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** The checks of this file, in their order. */
export const PRIVILEGE_CHECKS = ['Tables, sequences', 'Row security', 'Large objects', 'Left out'] as const;

const [TABLES, ROW_SECURITY, LARGE_OBJECTS, LEFT_OUT] = PRIVILEGE_CHECKS;

/** The role pg_read_all_data exists from this version on. */
const READ_ALL_DATA_SINCE = 14;

function listed(names: readonly string[]): string {
  const shown = 5;
  const rest = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.slice(0, shown).join(', ')}${rest}`;
}

/** A dump without some of the rows is not a dump. */
function refused(message: string): Failure {
  return new Failure('refused', message);
}

/** Statements that let the user read what it can't, one for each object. */
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
    return ok(TABLES, 'all can be read');
  }
  const failure = refused(
    `The user ${user} may not read ${listed(unreadable)}: grant it USAGE on the schemas and SELECT on tables and ` +
      'sequences, or the role pg_read_all_data (from PostgreSQL 14).',
  );
  const each = grants(privileges);
  return problem(
    TABLES,
    failure,
    major < READ_ALL_DATA_SINCE
      ? each
      : [
          '-- All tables and sequences, with those to come; on RDS as the master user.',
          `GRANT pg_read_all_data TO ${user};`,
          '-- Or, in its place, these alone:',
          ...each.map((statement) => `-- ${statement}`),
        ],
  );
}

/** Who may give BYPASSRLS: https://www.postgresql.org/docs/current/sql-alterrole.html */
function rowSecurity({ user, filtered, filteredOwners }: Privileges): Finding {
  if (filtered.length === 0) {
    return ok(ROW_SECURITY, 'hides no rows from this user');
  }
  const failure = refused(
    `The user ${user} is subject to row-level security on ${listed(filtered)}, which would hide rows: dump as a role ` +
      'with BYPASSRLS, or as the owner. A policy that shows it all rows does not help: pg_dump refuses a table to whose ' +
      'policies it is subject.',
  );
  const instead = filteredOwners.map((owner) => `-- GRANT ${owner} TO ${user};`);
  return problem(ROW_SECURITY, failure, [
    '-- As a superuser, or from PostgreSQL 16 on as a role with BYPASSRLS.',
    `ALTER ROLE ${user} BYPASSRLS;`,
    ...(instead.length === 0
      ? []
      : ["-- Or, in its place, all of the owner's rights, to write among them:", ...instead]),
  ]);
}

/** The text in dollar quotes, with a tag that is not in it. */
function dollarQuoted(text: string): string {
  let tag = '$grant$';
  for (let number = 1; text.includes(tag); number += 1) {
    tag = `$grant${number}$`;
  }
  return `${tag}${text}${tag}`;
}

function largeObjects({ user, largeObjects: count, largeObject }: Privileges): Finding {
  if (count === 0) {
    return ok(LARGE_OBJECTS, 'all can be read');
  }
  const which = count === 1 ? `the large object ${largeObject}` : `${count} large objects, ${largeObject} among them`;
  const failure = refused(
    `The user ${user} may not read ${which}: grant it SELECT on each (pg_read_all_data does not cover them), or dump as ` +
      'their owner.',
  );
  const grant = `'GRANT SELECT ON LARGE OBJECT ' || id || ${pg.escapeLiteral(` TO ${user}`)}`;
  const own = "SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE pg_catalog.pg_has_role(lomowner, 'USAGE')";
  return problem(LARGE_OBJECTS, failure, [
    '-- As a superuser, or as each of their owners; and again for those to come.',
    `DO ${dollarQuoted(`DECLARE id oid; BEGIN FOR id IN ${own} LOOP EXECUTE ${grant}; END LOOP; END`)};`,
  ]);
}

function leftOut({ foreign, unlogged, subscriptions }: Privileges): Finding {
  const parts = [
    ...(foreign.length === 0 ? [] : [`rows of the foreign tables ${listed(foreign)}, which are on other servers`]),
    ...(unlogged.length === 0
      ? []
      : [`rows of the unlogged tables ${listed(unlogged)}, which a replica does not have: dump the primary`]),
    ...(subscriptions.length === 0
      ? []
      : [`subscriptions, which pg_dump dumps for a superuser alone: ${listed(subscriptions)}`]),
  ];
  return parts.length === 0
    ? ok(LEFT_OUT, 'nothing that pg_dump leaves out of dumps')
    : warning(LEFT_OUT, `a dump does not hold ${parts.join('; nor ')}`);
}

/** What the user's privileges mean for a dump. */
export function privilegeFindings(privileges: Privileges, database: Database): readonly Finding[] {
  return [tables(privileges, database), rowSecurity(privileges), largeObjects(privileges), leftOut(privileges)];
}
