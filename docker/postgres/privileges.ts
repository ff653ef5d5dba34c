import type { Client } from 'pg';
import type { Database } from './database.ts';
import { onOneLine } from './identifier.ts';

/**
 * What pg_dump would need and this user lacks, and what a dump leaves out. All names are identifiers of SQL, quoted
 * where need be, on one line, and with their schema.
 */
export interface Privileges {
  /** The user as an identifier. */
  readonly user: string;
  /** Schemas without USAGE that hold something to read. */
  readonly schemas: readonly string[];
  /** Tables without SELECT. */
  readonly tables: readonly string[];
  /** Sequences without SELECT. */
  readonly sequences: readonly string[];
  /** All of which something can't be read: those above, and those in the schemas above. */
  readonly unreadable: readonly string[];
  /** Tables of which policies would hide rows. */
  readonly filtered: readonly string[];
  /** Owners of those tables, if their policies apply to no owner. */
  readonly filteredOwners: readonly string[];
  /** Large objects without SELECT. */
  readonly largeObjects: number;
  /** One of them. */
  readonly largeObject: number | null;
  /** Tables whose rows are on another server; a dump holds their definition alone. */
  readonly foreign: readonly string[];
  /** Of a replica: tables whose rows are on the primary alone. */
  readonly unlogged: readonly string[];
  /** Subscriptions, which pg_dump leaves out for anyone but a superuser. */
  readonly subscriptions: readonly string[];
}

interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'r' | 'p' | 'S' | 'f';
  readonly usage: boolean;
  readonly select: boolean;
  readonly filtered: boolean;
  /** Whether policies apply to the owner as well. */
  readonly forced: boolean;
  readonly owner: string;
  readonly unlogged: boolean;
}

/** Row-level security exists from this version on. */
const ROW_SECURITY_SINCE = 90500;

const SUBSCRIPTIONS_SINCE = 100000;

/**
 * Tables, partitioned tables and sequences that pg_dump locks or reads and this user can't, foreign tables, and
 * unlogged tables of a replica: all outside the system's schemas, of the members of extensions only those that an
 * extension keeps its configuration in. Of a partitioned table pg_dump reads no rows, so its own policies do not
 * matter; it locks it, for which it needs SELECT. Views and materialized views are dumped without reading anything.
 */
function relationsQuery({ versionNumber }: Database): string {
  const [filtered, forced] =
    versionNumber >= ROW_SECURITY_SINCE
      ? ["(c.relkind = 'r' AND row_security_active(c.oid))", 'c.relforcerowsecurity']
      : ['false', 'false'];
  return `
    SELECT * FROM (
      SELECT quote_ident(n.nspname) AS schema, quote_ident(c.relname) AS name, c.relkind AS kind,
        has_schema_privilege(n.oid, 'USAGE') AS usage, has_table_privilege(c.oid, 'SELECT') AS select,
        ${filtered} AS filtered, ${forced} AS forced, quote_ident(pg_get_userbyid(c.relowner)) AS owner,
        c.relkind = 'r' AND c.relpersistence = 'u' AND pg_is_in_recovery() AS unlogged
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'S', 'f')
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND (
          NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
          )
          OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))
        )
    ) relations
    WHERE NOT (usage AND "select") OR filtered OR unlogged OR kind = 'f'
    ORDER BY schema, name`;
}

/**
 * Large objects have privileges of their own, which pg_read_all_data does not cover (seen in 14 and 18), and no function
 * that tells them before 18. Owners have theirs by default, like any other object's.
 */
const LARGE_OBJECTS = `
  SELECT count(*) AS count, min(oid)::bigint AS example
  FROM pg_largeobject_metadata
  WHERE NOT current_setting('lo_compat_privileges')::bool
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (
      SELECT FROM aclexplode(coalesce(lomacl, acldefault('L', lomowner))) granted
      WHERE granted.privilege_type = 'SELECT' AND (granted.grantee = 0 OR pg_has_role(granted.grantee, 'USAGE'))
    )`;

const SUBSCRIPTIONS = `
  SELECT quote_ident(subname) AS name
  FROM pg_subscription
  WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  ORDER BY 1`;

function qualified({ schema, name }: Relation): string {
  return `${onOneLine(schema)}.${onOneLine(name)}`;
}

/** Asks for all of it, after `inspect` on the same connection. Errors of the connection and the server pass through. */
export async function inspectPrivileges(client: Client, database: Database): Promise<Privileges> {
  const { rows: users } = await client.query<{ name: string }>('SELECT quote_ident(current_user) AS name');
  const { rows: relations } = await client.query<Relation>(relationsQuery(database));
  const { rows: largeObjects } = await client.query<{ count: string; example: string | null }>(LARGE_OBJECTS);
  const { rows: subscriptions } =
    database.versionNumber < SUBSCRIPTIONS_SINCE ? { rows: [] } : await client.query<{ name: string }>(SUBSCRIPTIONS);
  const names = (pick: (relation: Relation) => boolean) => relations.filter(pick).map(qualified);
  const read = relations.filter(({ kind }) => kind !== 'f');
  const filtered = relations.filter((relation) => relation.filtered);
  const example = largeObjects[0]?.example ?? null;
  return {
    user: onOneLine(users[0]?.name ?? ''),
    schemas: [...new Set(read.filter(({ usage }) => !usage).map(({ schema }) => onOneLine(schema)))],
    tables: names(({ kind, select }) => (kind === 'r' || kind === 'p') && !select),
    sequences: names(({ kind, select }) => kind === 'S' && !select),
    unreadable: names(({ kind, usage, select }) => kind !== 'f' && !(usage && select)),
    filtered: filtered.map(qualified),
    filteredOwners: filtered.some(({ forced }) => forced)
      ? []
      : [...new Set(filtered.map(({ owner }) => onOneLine(owner)))],
    largeObjects: Number(largeObjects[0]?.count ?? 0),
    largeObject: example === null ? null : Number(example),
    foreign: names(({ kind }) => kind === 'f'),
    unlogged: names(({ unlogged }) => unlogged),
    subscriptions: subscriptions.map(({ name }) => onOneLine(name)),
  };
}
