import type { Client } from 'pg';
import { z } from 'zod';
import { bigint, queryRow, queryRows } from './connection/query.ts';
import type { Database } from './database.ts';
import { dumpedRelations } from './dumped-relations.ts';
import { type Exclusions, isNoneOf } from './filters/exclusions.ts';
import { identifier, quotedOnOneLine } from './names/quoting.ts';
import { userMappings } from './needs/user-mappings.ts';
import { IS_USER_SCHEMA } from './user-schemas.ts';

/**
 * The privileges that pg_dump needs and this user lacks, and the contents that a dump omits. Names are SQL identifiers
 * with their schema, quoted where necessary, on one line.
 */
export interface Privileges {
  /** The user as an identifier. */
  readonly user: string;
  /** Schemas without USAGE that contain relations to read. */
  readonly schemas: readonly string[];
  /** Tables without SELECT. */
  readonly tables: readonly string[];
  /** Sequences without SELECT. */
  readonly sequences: readonly string[];
  /** Every relation that cannot be read: the tables and sequences above, and all of those in the schemas above. */
  readonly unreadable: readonly string[];
  /** Tables whose row-level security policies would hide rows. */
  readonly filtered: readonly string[];
  /** Owners of those tables; empty if a policy applies to an owner as well. */
  readonly filteredOwners: readonly string[];
  /** Number of large objects without SELECT. */
  readonly unreadableLargeObjects: number;
  /** OID of one of them. */
  readonly exampleLargeObject: number | null;
  /** Foreign tables: their rows are on another server, so a dump contains only their definitions. */
  readonly foreign: readonly string[];
  /** On a replica: unlogged tables, whose rows exist only on the primary. */
  readonly unlogged: readonly string[];
  /** Subscriptions, which pg_dump omits unless it runs as a superuser. */
  readonly subscriptions: readonly string[];
  /** Tables with rows that belong to an extension which has not marked them: a dump has neither table nor rows. */
  readonly unmarked: readonly string[];
  /** User mappings of which this user cannot see whether they have options: a dump has them without. */
  readonly hiddenMappings: readonly string[];
}

const relationSchema = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['r', 'p', 'S', 'f']),
  usage: z.boolean(),
  select: z.boolean(),
  filtered: z.boolean(),
  /** Whether policies also apply to the owner. */
  forced: z.boolean(),
  owner: z.string(),
  unlogged: z.boolean(),
});

type Relation = z.infer<typeof relationSchema>;

const nameSchema = z.object({ name: z.string() });

/** First version with row-level security. */
const ROW_SECURITY_SINCE = 90500;

const SUBSCRIPTIONS_SINCE = 100000;

/**
 * Tables, partitioned tables and sequences that pg_dump locks or reads but this user cannot, foreign tables, and
 * unlogged tables of a replica. pg_dump reads no rows from a partitioned table itself, so its own policies do not
 * matter, but locks it, which requires SELECT. Views and materialized views are dumped without reading them.
 */
function relationsQuery({ versionNumber }: Database, exclusions: Exclusions): string {
  const [filtered, forced] =
    versionNumber >= ROW_SECURITY_SINCE
      ? ["(c.relkind = 'r' AND row_security_active(c.oid))", 'c.relforcerowsecurity']
      : ['false', 'false'];
  return `
    SELECT * FROM (
      SELECT quote_ident(n.nspname) AS schema, quote_ident(c.relname) AS name, c.relkind AS kind,
        has_schema_privilege(n.oid, 'USAGE') AS usage, has_table_privilege(c.oid, 'SELECT') AS select,
        ${filtered} AND ${isNoneOf('c.oid', exclusions.withoutRows)} AS filtered, ${forced} AS forced, quote_ident(pg_get_userbyid(c.relowner)) AS owner,
        c.relkind = 'r' AND c.relpersistence = 'u' AND pg_is_in_recovery() AS unlogged
      ${dumpedRelations(exclusions)}
    ) relations
    WHERE NOT (usage AND "select") OR filtered OR unlogged OR kind = 'f'
    ORDER BY schema, name`;
}

/**
 * Large objects have separate privileges, which pg_read_all_data does not cover (observed in 14 and 18), and before 18
 * no function checks them. Owners have theirs by default, as for any other object.
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

/**
 * Tables that belong to an extension, without those that it has marked as its configuration. Whether they have rows is
 * taken from statistics: their files could only be looked at with a lock, for which pg_dump does not wait.
 * https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES
 */
function unmarkedQuery({ relations, withoutRows }: Exclusions): string {
  return `
    SELECT quote_ident(nspname) AS schema, quote_ident(relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid
    WHERE relkind = 'r' AND ${IS_USER_SCHEMA} AND c.oid <> ALL (coalesce(extconfig, '{}'))
      AND (reltuples > 0 OR pg_stat_get_live_tuples(c.oid) > 0) AND ${isNoneOf('c.oid', [...relations, ...withoutRows])}
    ORDER BY 1, 2`;
}

async function hiddenMappings(client: Client): Promise<readonly string[]> {
  const mappings = await userMappings(client);
  return mappings
    .filter(({ hasOptions }) => hasOptions === null)
    .map(({ server, role }) => `${role === null ? 'PUBLIC' : identifier(role)} of server ${identifier(server)}`);
}

function qualified({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${quotedOnOneLine(schema)}.${quotedOnOneLine(name)}`;
}

/** Connection and server errors pass through. */
export async function inspectPrivileges(
  client: Client,
  database: Database,
  exclusions: Exclusions,
): Promise<Privileges> {
  const user = await queryRow(client, 'SELECT quote_ident(current_user) AS name', nameSchema);
  const relations = await queryRows(client, relationsQuery(database, exclusions), relationSchema);
  const largeObjectSchema = z.object({ count: bigint, example: bigint.nullable() });
  const { count, example } = exclusions.leftOut.objectsWithoutSchema
    ? { count: 0, example: null }
    : await queryRow(client, LARGE_OBJECTS, largeObjectSchema);
  const subscriptions =
    database.versionNumber < SUBSCRIPTIONS_SINCE ? [] : await queryRows(client, SUBSCRIPTIONS, nameSchema);
  const unmarked = await queryRows(
    client,
    unmarkedQuery(exclusions),
    z.object({ schema: z.string(), name: z.string() }),
  );
  const names = (matches: (relation: Relation) => boolean) => relations.filter(matches).map(qualified);
  const local = relations.filter(({ kind }) => kind !== 'f');
  const filtered = relations.filter((relation) => relation.filtered);
  return {
    user: quotedOnOneLine(user.name),
    schemas: [...new Set(local.filter(({ usage }) => !usage).map(({ schema }) => quotedOnOneLine(schema)))],
    tables: names(({ kind, select }) => (kind === 'r' || kind === 'p') && !select),
    sequences: names(({ kind, select }) => kind === 'S' && !select),
    unreadable: names(({ kind, usage, select }) => kind !== 'f' && !(usage && select)),
    filtered: filtered.map(qualified),
    filteredOwners: filtered.some(({ forced }) => forced)
      ? []
      : [...new Set(filtered.map(({ owner }) => quotedOnOneLine(owner)))],
    unreadableLargeObjects: count,
    exampleLargeObject: example,
    foreign: names(({ kind }) => kind === 'f'),
    unlogged: names(({ unlogged }) => unlogged),
    subscriptions: subscriptions.map(({ name }) => quotedOnOneLine(name)),
    unmarked: unmarked.map(qualified),
    hiddenMappings: exclusions.leftOut.objectsWithoutSchema ? [] : await hiddenMappings(client),
  };
}
