import { z } from 'zod';
import { Failure } from '../failure.ts';
import { type ConnectionSettings, type DumpTarget, LONGEST_NAME, SSL_MODES } from '../postgres/connection-settings.ts';
import { parseEndpoint, parsePort } from '../postgres/endpoint.ts';
import type { SecretValue } from './fetch-secret.ts';

const DEFAULT_PORT = 5432;

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql'];

/** Engines known well enough to be named back. Anything else may be a value that slipped into the wrong field. */
const OTHER_ENGINES =
  /^(mysql|mariadb|aurora|aurora-mysql|oracle(-[a-z0-9-]+)?|custom-oracle-[a-z0-9-]+|sqlserver(-[a-z]+)?|db2(-[a-z]+)?|mongo|redshift)$/;

/** No message of this schema repeats a value: they go to a log. */
const text = z
  .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be text') })
  .min(1, 'is empty')
  // Programs are given these values in their environment, which holds neither.
  .refine((value) => !/[\0\p{Cs}]/u.test(value), 'must not contain a NUL or half a character');

const engine = text.superRefine((value, context) => {
  if (!ENGINES.includes(value)) {
    const given = OTHER_ENGINES.test(value) ? `is ${value}, but AutoDump dumps PostgreSQL only: it ` : '';
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
    'must be a host name or an IP address, or one with a port as in db.example.com:5432',
  );

/** The fields that lead to a database. */
const targetSchema = z.object({
  username: text,
  password: text,
  databasename: text.refine(
    (name) => Buffer.byteLength(name) <= LONGEST_NAME,
    `is longer than the ${LONGEST_NAME} bytes that PostgreSQL allows`,
  ),
  endpoint,
  engine,
  port: port.optional(),
  sslmode: z.enum(SSL_MODES, `must be one of ${SSL_MODES.join(', ')}`).optional(),
});

function dumpTargetSchema(buckets: readonly [string, ...string[]]) {
  return targetSchema.extend({
    bucketname: text
      .refine(
        (name) => buckets.includes(name),
        `must be one of ${buckets.join(', ')} (the stack's bucket and those of its context extraBucketNames)`,
      )
      .default(buckets[0]),
  });
}

/** The names that RDS and its rotation use stand for ours; ours win where a secret has both. */
const SYNONYMS = [
  ['databasename', 'dbname'],
  ['endpoint', 'host'],
] as const;

function parseObject({ name, value }: SecretValue): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // The parser's own message quotes the value.
    throw new Failure(
      'badSecret',
      `The value of the secret ${name} is not JSON. It must be a JSON object, its keys and texts in double quotes.`,
    );
  }
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!success) {
    throw new Failure(
      'badSecret',
      `The value of the secret ${name} is JSON, but not an object of the form {"username": ...}.`,
    );
  }
  return data;
}

function refusal(name: string, problems: readonly string[], given: Readonly<Record<string, unknown>>): Failure {
  const managed = Object.keys(given).sort().join() === 'password,username';
  const advice = managed
    ? ' It holds username and password alone, like the secrets that RDS manages itself:' +
      ' add endpoint, databasename and engine to it, or make a secret of your own with all five.'
    : ' Required are username, password, databasename (or dbname), endpoint (or host) and engine;' +
      ' optional are port, sslmode and bucketname.';
  return new Failure('badSecret', `The value of the secret ${name} can't be used: ${problems.join('; ')}.${advice}`);
}

/** @throws {Failure} `badSecret`, naming every missing or odd field at once and showing no value. */
function read<T extends z.infer<typeof targetSchema>>(secret: SecretValue, schema: z.ZodType<T>): T {
  const given = parseObject(secret);
  const renamed = { ...given };
  const nameOf = new Map<string, string>();
  for (const [ours, theirs] of SYNONYMS) {
    if (given[ours] === undefined && given[theirs] !== undefined) {
      renamed[ours] = given[theirs];
      nameOf.set(ours, theirs);
    }
  }
  const { success, data, error } = schema.safeParse(renamed);
  if (!success) {
    const problems = error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${nameOf.get(name) ?? name} ${message}`;
    });
    throw refusal(secret.name, problems, given);
  }
  if (data.port !== undefined && data.endpoint.port !== undefined && data.port !== data.endpoint.port) {
    throw refusal(secret.name, ['port differs from the port in endpoint: leave one of them out'], given);
  }
  return data;
}

function targetOf(data: z.infer<typeof targetSchema>): ConnectionSettings {
  return {
    host: data.endpoint.host,
    port: data.port ?? data.endpoint.port ?? DEFAULT_PORT,
    user: data.username,
    password: data.password,
    database: data.databasename,
    ...(data.sslmode === undefined ? {} : { sslMode: data.sslmode }),
  };
}

/**
 * Reads the value of a secret: the contract's own format, or that of RDS and its rotation.
 *
 * @param buckets names that `bucketname` may have, the default first
 * @throws {Failure} `badSecret`, naming every missing or odd field at once and showing no value.
 */
export function parseSecret(secret: SecretValue, buckets: readonly [string, ...string[]]): DumpTarget {
  const data = read(secret, dumpTargetSchema(buckets));
  return { ...targetOf(data), bucket: data.bucketname };
}

/**
 * Reads the value of a secret for the database alone, whatever bucket it names.
 *
 * @throws {Failure} `badSecret`, as {@link parseSecret} does
 */
export function parseTarget(secret: SecretValue): ConnectionSettings {
  return targetOf(read(secret, targetSchema));
}
