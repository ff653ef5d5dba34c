import { z } from 'zod';
import {
  FILTER_FIELDS,
  PREFER_TAG,
  RESTORE_TARGET_TAG,
  SCHEDULE_TAG,
  TAG_PREFIX,
  TAGGED_FIELDS,
  TIMEZONE_TAG,
} from '../../contract.ts';
import { type ConnectionSettings, MAX_NAME_BYTES, SSL_MODES } from '../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT, parseEndpoint, parsePort } from '../postgres/connection/endpoint.ts';
import { transportsFor } from '../postgres/connection/tls.ts';
import type { Filters } from '../postgres/filters/filters.ts';
import { translated } from '../postgres/filters/pattern.ts';
import type { Secret } from './fetch-secret.ts';
import type { RdsFields } from './rds.ts';
import { givenFields, parseObject, refusal, SYNONYMS } from './secret-fields.ts';

/** A secret, and what RDS says of its database if the secret does not. */
export interface DescribedSecret extends Secret {
  readonly rds: RdsFields;
}

/** The database to dump, and the bucket for the dump. */
export interface DumpSettings extends ConnectionSettings {
  readonly bucket: string;
  readonly filters: Filters;
}

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql'];

/** Engines that an error may repeat. Any other text may be a password that slipped into the wrong field. */
const OTHER_ENGINES =
  /^(mysql|mariadb|aurora|aurora-mysql|oracle(-[a-z0-9-]+)?|custom-oracle-[a-z0-9-]+|sqlserver(-[a-z]+)?|db2(-[a-z]+)?|mongo|redshift)$/i;

const REQUIRED =
  ' Required: username, password, databasename (or dbname), endpoint (or host) and engine;' +
  ' optional: port, sslmode (or ssl), pooler, bucketname, schemas, excludeschemas, excludetables and excludetabledata.';

/** No message of this schema repeats a value, because messages go to the log. */
const text = z
  .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be text') })
  .min(1, 'is empty')
  // The client programs receive these values as environment variables, which cannot contain either.
  .refine((value) => !/[\0\p{Cs}]/u.test(value), 'must not contain a NUL character or an unpaired surrogate');

const engine = text.superRefine((value, context) => {
  if (!ENGINES.includes(value.toLowerCase())) {
    const given = OTHER_ENGINES.test(value) ? `is ${value}, but AutoDump dumps only PostgreSQL: it ` : '';
    context.addIssue(`${given}must be ${ENGINES.join(' or ')}`);
  }
});

const port = z
  .union([z.number(), z.string()], 'must be a number')
  .transform(parsePort)
  .refine((number) => number !== undefined, 'must be a whole number from 1 to 65535');

const endpoint = text
  .transform(parseEndpoint)
  .refine(
    (parsed) => parsed !== undefined,
    'must be a host name or an IP address, optionally with a port, like db.example.com:5432',
  );

/** The fields needed to connect to a database. */
const connectionSchema = z.object({
  username: text,
  password: text,
  databasename: text.refine(
    (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES,
    `is longer than the ${MAX_NAME_BYTES} bytes that PostgreSQL allows`,
  ),
  endpoint,
  engine,
  port: port.optional(),
  sslmode: z.enum(SSL_MODES, `must be one of ${SSL_MODES.join(', ')}`).optional(),
  pooler: z.literal('session', 'must be session, or left out').optional(),
  // Rotation functions of AWS take it as text, too.
  ssl: z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })], 'must be true or false').optional(),
});

/** A pattern of pg_dump or a list of them, each with at most so many parts between dots. */
function patterns(parts: number, form: string) {
  const pattern = text.refine((value) => translated(value).length <= parts, `must have patterns of the form ${form}`);
  return z
    .array(pattern, 'must be a list of patterns')
    .refine((list) => list.length > 0, 'is an empty list: remove it')
    .optional();
}

function dumpSchema(buckets: readonly [string, ...string[]]) {
  return connectionSchema.extend({
    schemas: patterns(1, 'schema'),
    excludeschemas: patterns(1, 'schema'),
    excludetables: patterns(2, 'table or schema.table'),
    excludetabledata: patterns(2, 'table or schema.table'),
    bucketname: text
      .refine(
        (name) => buckets.includes(name),
        `must be one of ${buckets.join(', ')} (the stack's bucket and its context value extraBucketNames)`,
      )
      .default(buckets[0]),
  });
}

const FIELDS = [
  ...Object.keys(connectionSchema.shape),
  ...FILTER_FIELDS,
  'bucketname',
  ...SYNONYMS.map(([, theirs]) => theirs),
];

const TAGS = [...TAGGED_FIELDS, ...FILTER_FIELDS]
  .map((field) => `${TAG_PREFIX}${field}`)
  .concat(PREFER_TAG, SCHEDULE_TAG, TIMEZONE_TAG, RESTORE_TARGET_TAG);

function lettersOf(key: string): string {
  return key
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{C}\p{Z}\p{Pd}\p{Pc}.]/gu, '');
}

/**
 * Names that people write, by the field that they surely mean, although they are not its name but for case and dashes.
 */
const SINGULARS: ReadonlyMap<string, string> = new Map([
  ['excludeschema', 'excludeschemas'],
  ['excludetable', 'excludetables'],
]);

/**
 * Keys that would be ignored, although they were surely meant for a field, such as `sslMode` and `db_name`, or those
 * with an invisible character.
 */
function misspelledKeys(keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => {
    const letters = lettersOf(key);
    const meant = SINGULARS.get(letters) ?? letters;
    return FIELDS.includes(meant) && meant !== key ? [`"${key}" must be written ${meant}`] : [];
  });
}

/** Tags that begin like ours and are none. */
function unknownTags(keys: readonly string[]): readonly string[] {
  return keys
    .filter((key) => lettersOf(key).startsWith(TAG_PREFIX) && !TAGS.includes(key))
    .map((key) => {
      const meant = TAGS.find((tag) => lettersOf(tag) === lettersOf(key)) ?? `one of ${TAGS.join(', ')}`;
      return `the tag "${key}" must be written ${meant}`;
    });
}

/** What contradicts something else. */
function contradictions({ port, endpoint, ssl, sslmode }: z.infer<typeof connectionSchema>): readonly string[] {
  const problems: string[] = [];
  if (port !== undefined && endpoint.port !== undefined && port !== endpoint.port) {
    problems.push('port differs from the port in endpoint: remove one of them');
  }
  if (ssl === true && sslmode !== undefined && sslmode !== 'verify-full') {
    problems.push('ssl is true, which means sslmode verify-full, but sslmode differs: remove one of them');
  }
  if (ssl === false && sslmode !== undefined && transportsFor(sslmode).every((transport) => transport === 'tls')) {
    problems.push('ssl is false, but sslmode demands TLS: remove one of them');
  }
  return problems;
}

/** @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value */
function parse<T extends z.infer<typeof connectionSchema>>(secret: DescribedSecret, schema: z.ZodType<T>): T {
  const value = parseObject(secret);
  const { fields, places, problems: differences } = givenFields(value, secret.tags, secret.rds);
  const { success, data, error } = schema.safeParse(fields);
  const invalid = error?.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${places.get(name) ?? name} ${message}`;
  });
  const problems = [
    ...misspelledKeys(Object.keys(value)),
    ...unknownTags([...secret.tags.keys()]),
    ...differences,
    ...(invalid ?? []),
    ...(success ? contradictions(data) : []),
  ];
  if (!success || problems.length > 0) {
    throw refusal(secret.name, `is invalid: ${problems.join('; ')}.${REQUIRED}`);
  }
  return data;
}

function settingsOf(data: z.infer<typeof connectionSchema>): ConnectionSettings {
  const sslMode = data.ssl === true ? 'verify-full' : data.sslmode;
  return {
    host: data.endpoint.host,
    port: data.port ?? data.endpoint.port ?? DEFAULT_PORT,
    user: data.username,
    password: data.password,
    database: data.databasename,
    ...(sslMode === undefined ? {} : { sslMode }),
    ...(data.pooler === undefined ? {} : { pooler: data.pooler }),
  };
}

/**
 * Parses a secret's value, in AutoDump's own format or that of RDS and its rotation.
 *
 * @param buckets allowed values of `bucketname`, the default first
 * @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value
 */
export function parseDumpSettings(secret: DescribedSecret, buckets: readonly [string, ...string[]]): DumpSettings {
  const data = parse(secret, dumpSchema(buckets));
  const { schemas = [], excludeschemas = [], excludetables = [], excludetabledata = [] } = data;
  const filters = { schemas, excludeschemas, excludetables, excludetabledata };
  return { ...settingsOf(data), bucket: data.bucketname, filters };
}

/**
 * Parses only the fields of the database, for a restore: any `bucketname` is ignored.
 *
 * @throws {Failure} `badSecret`, as {@link parseDumpSettings} does
 */
export function parseConnectionSettings(secret: DescribedSecret): ConnectionSettings {
  return settingsOf(parse(secret, connectionSchema));
}
