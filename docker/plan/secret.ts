import { z } from 'zod';
import { Failure } from '../failure.ts';
import { type ConnectionSettings, MAX_NAME_BYTES, SSL_MODES } from '../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT, parseEndpoint, parsePort } from '../postgres/connection/endpoint.ts';
import { transportsFor } from '../postgres/connection/tls.ts';
import type { SecretValue } from './fetch-secret.ts';

/** The database to dump, and the bucket for the dump. */
export interface DumpSettings extends ConnectionSettings {
  readonly bucket: string;
}

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql'];

/** Engines that an error may repeat. Any other text may be a password that slipped into the wrong field. */
const OTHER_ENGINES =
  /^(mysql|mariadb|aurora|aurora-mysql|oracle(-[a-z0-9-]+)?|custom-oracle-[a-z0-9-]+|sqlserver(-[a-z]+)?|db2(-[a-z]+)?|mongo|redshift)$/i;

/** What nobody sees in an editor, outside of strings, and why the value is then no JSON. */
const UNSEEN: readonly (readonly [pattern: RegExp, reason: string])[] = [
  // U+FEFF, or its three bytes in UTF-8 that were read as Latin-1.
  [
    /^(\uFEFF|\u00EF\u00BB\u00BF)/,
    'begins with a byte order mark, which some editors add and JSON does not allow: save it without one',
  ],
  [/^[^"]*[“”„«»‘’]/, 'has typographic quotation marks, where JSON allows only straight ones (U+0022)'],
  [
    /[^\S \t\r\n]|\p{Cf}/u,
    'seems to have characters outside of strings that look like spaces and that JSON does not allow, such as no-break spaces: retype them',
  ],
];

const STRING = /"(?:[^"\\]|\\.)*"/g;

const REQUIRED =
  ' Required: username, password, databasename (or dbname), endpoint (or host) and engine;' +
  ' optional: port, sslmode (or ssl), pooler and bucketname.';

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

function dumpSchema(buckets: readonly [string, ...string[]]) {
  return connectionSchema.extend({
    bucketname: text
      .refine(
        (name) => buckets.includes(name),
        `must be one of ${buckets.join(', ')} (the stack's bucket and its context value extraBucketNames)`,
      )
      .default(buckets[0]),
  });
}

/** Our names of fields, and the synonyms that RDS and its rotation use; ours win if a secret has both. */
const SYNONYMS = [
  ['databasename', 'dbname'],
  ['endpoint', 'host'],
] as const;

const FIELDS = [...Object.keys(connectionSchema.shape), 'bucketname', ...SYNONYMS.map(([, theirs]) => theirs)];

/**
 * Keys that would be ignored, although they were surely meant for a field, such as `sslMode` and `db_name`, or those with an
 * invisible character.
 */
function misspelledKeys(given: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(given).flatMap((key) => {
    const field = key
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s\p{C}\p{Z}\p{Pd}\p{Pc}.]/gu, '');
    return FIELDS.includes(field) && field !== key ? [`"${key}" must be written ${field}`] : [];
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

function parseObject({ name, value }: SecretValue): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // The parser's own message quotes the value.
    const outside = value.replace(STRING, '""');
    const [, reason = 'is not valid JSON'] = UNSEEN.find(([pattern]) => pattern.test(outside)) ?? [];
    throw refusal(name, `${reason}. It must be a JSON object, with keys and strings in double quotes.`);
  }
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!success) {
    const hint = typeof parsed === 'string' ? ', but a string: it was perhaps encoded twice' : '';
    throw refusal(name, `is valid JSON, but not an object of the form {"username": ...}${hint}.`);
  }
  return data;
}

/** Fields whose blanks at both ends, such as the line break of a file, count. */
const EXACT: ReadonlySet<string> = new Set(['username', 'password', 'databasename', 'dbname']);

function withoutBlanks(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key,
      typeof value === 'string' && !EXACT.has(key) ? value.trim() : value,
    ]),
  );
}

function refusal(name: string, problem: string): Failure {
  // No name of one's own can contain an exclamation mark.
  const advice = name.includes('!')
    ? ' Its value cannot be edited, because a service of AWS manages it: make a secret of your own, with a database user of' +
      ' its own, because that service changes the password of this one.'
    : '';
  return new Failure('badSecret', `The value of the secret ${name} ${problem}${advice}`);
}

/** @throws {Failure} `badSecret`, naming every missing or invalid field and showing no value */
function parse<T extends z.infer<typeof connectionSchema>>(secret: SecretValue, schema: z.ZodType<T>): T {
  const given = parseObject(secret);
  const renamed = withoutBlanks(given);
  const nameOf = new Map<string, string>();
  for (const [ours, theirs] of SYNONYMS) {
    if (given[ours] === undefined && given[theirs] !== undefined) {
      renamed[ours] = renamed[theirs];
      nameOf.set(ours, theirs);
    }
  }
  const { success, data, error } = schema.safeParse(renamed);
  const invalid = error?.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${nameOf.get(name) ?? name} ${message}`;
  });
  const problems = [...misspelledKeys(given), ...(invalid ?? []), ...(success ? contradictions(data) : [])];
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
export function parseDumpSettings(secret: SecretValue, buckets: readonly [string, ...string[]]): DumpSettings {
  const data = parse(secret, dumpSchema(buckets));
  return { ...settingsOf(data), bucket: data.bucketname };
}

/**
 * Parses only the fields of the database, for a restore: any `bucketname` is ignored.
 *
 * @throws {Failure} `badSecret`, as {@link parseDumpSettings} does
 */
export function parseConnectionSettings(secret: SecretValue): ConnectionSettings {
  return settingsOf(parse(secret, connectionSchema));
}
