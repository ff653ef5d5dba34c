import { z } from 'zod';
import { FILTER_FIELDS, STORAGE_FIELDS } from '../../contract.ts';
import { MAX_NAME_BYTES, SSL_MODES } from '../postgres/connection/connection-settings.ts';
import { parseEndpoint, parsePort } from '../postgres/connection/endpoint.ts';
import { translated } from '../postgres/filters/pattern.ts';
import { STORAGE_CLASSES } from '../s3/object.ts';
import { ALL_DATABASES, type Databases } from './databases.ts';
import { shorterClasses } from './retention.ts';
import { SYNONYMS } from './secret-fields.ts';

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql'];

/** Connections that a secret may ask for. */
const MOST_PARALLEL = 32;

/** Engines that an error may repeat. Any other text may be a password that slipped into the wrong field. */
const OTHER_ENGINES =
  /^(mysql|mariadb|aurora|aurora-mysql|oracle(-[a-z0-9-]+)?|custom-oracle-[a-z0-9-]+|sqlserver(-[a-z]+)?|db2(-[a-z]+)?|mongo|redshift)$/i;

/** No message of this schema repeats a value that may be a password, because messages go to the log. */
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

const databaseName = text.refine(
  (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES,
  `is longer than the ${MAX_NAME_BYTES} bytes that PostgreSQL allows`,
);

function databasesOf(given: string | readonly string[]): Databases {
  if (typeof given !== 'string') {
    return { kind: 'list', names: given };
  }
  return given === ALL_DATABASES ? { kind: 'all' } : { kind: 'one', name: given };
}

const databases = z
  .union(
    [
      databaseName,
      z
        .array(databaseName)
        .min(1, `is an empty list: name databases, or write "${ALL_DATABASES}" for all`)
        .refine((names) => new Set(names).size === names.length, 'names a database twice'),
    ],
    { error: ({ input }) => (input === undefined ? 'is missing' : 'must be text, or a list of names') },
  )
  .transform(databasesOf);

/** The fields needed to connect to a database. */
export const connectionSchema = z.object({
  username: text,
  password: text,
  databasename: z
    .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be the name of one database') })
    .pipe(databaseName)
    .refine((name) => name !== ALL_DATABASES, 'must be the name of one database'),
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

const PARALLEL = `must be a whole number from 1 to ${MOST_PARALLEL}`;

const parallel = z
  .string(PARALLEL)
  .superRefine((value, context) => {
    if (!/^[1-9]\d?$/.test(value) || Number(value) > MOST_PARALLEL) {
      // So short a number is no password that slipped into the wrong field.
      context.addIssue(/^-?[\d.]{1,4}$/.test(value) ? `is ${value}: it ${PARALLEL}` : PARALLEL);
    }
  })
  .transform(Number);

/** Without a semicolon at the end, which a subquery does not have. */
const query = text
  .transform((sql) => sql.replace(/[;\s]+$/, '').trimStart())
  .refine((sql) => sql !== '', 'has an empty query: remove it');

const storageClass = text.pipe(
  z.enum(STORAGE_CLASSES, {
    error: ({ input }) => {
      const given =
        input === 'GLACIER' || input === 'DEEP_ARCHIVE'
          ? `is ${input}, whose objects cannot be read until S3 has restored them, which takes hours: it `
          : '';
      return `${given}must be ${STORAGE_CLASSES.join(', ')}`;
    },
  }),
);

/** @param stackDays the longest */
function retentionDays(stackDays: number) {
  const classes = [...shorterClasses(stackDays), stackDays];
  const allowed =
    `must be a whole number from 1 to ${stackDays}, the stack's context value retentionDays; ` +
    `it is rounded up to ${classes.join(', ')}`;
  return text.refine((days) => /^[1-9]\d*$/.test(days) && Number(days) <= stackDays, allowed).transform(Number);
}

/** Where dumps go. */
export interface Destination {
  /** Allowed values of `bucketname`, the default first. */
  readonly buckets: readonly [string, ...string[]];
  /** Days after which dumps in the default bucket expire. */
  readonly retentionDays: number;
}

/** These, and what to dump and where to. */
export function dumpSchema({ buckets, retentionDays: stackDays }: Destination) {
  return connectionSchema.extend({
    databasename: databases,
    schemas: patterns(1, 'schema'),
    excludeschemas: patterns(1, 'schema'),
    excludetables: patterns(2, 'table or schema.table'),
    excludetabledata: patterns(2, 'table or schema.table'),
    parallel: parallel.default(1),
    drillassert: z.array(query, 'must be a query, or a list of queries').optional(),
    bucketname: text
      .refine(
        (name) => buckets.includes(name),
        `must be one of ${buckets.join(', ')} (the stack's bucket and its context value extraBucketNames)`,
      )
      .default(buckets[0]),
    retentiondays: retentionDays(stackDays).optional(),
    storageclass: storageClass.optional(),
  });
}

/** Keys of a secret's value that are read. */
export const FIELDS: readonly string[] = [
  ...Object.keys(connectionSchema.shape),
  ...FILTER_FIELDS,
  'drillassert',
  ...STORAGE_FIELDS,
  'bucketname',
  'parallel',
  ...SYNONYMS.map(([, theirs]) => theirs),
];
