import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { problemOf } from '../command-line.ts';
import { Failure } from '../failure.ts';
import { isRegion, isSecretArn, isWritable } from '../plan/environment.ts';
import type { SecretReference } from '../plan/fetch-secret.ts';
import {
  type ConnectionSettings,
  MAX_NAME_BYTES,
  SSL_MODES,
  type SslMode,
} from '../postgres/connection/connection-settings.ts';
import { DEFAULT_PORT, parseEndpoint } from '../postgres/connection/endpoint.ts';
import { parseTableName, type TableName } from '../postgres/names/table-name.ts';
import type { DumpObject } from '../s3/object.ts';
import { type Verification, VERIFICATIONS } from './census/count-rows.ts';

/** The dump to restore, the database to restore it into, and how. */
export interface RestoreOptions {
  readonly object: DumpObject;
  /** Region of the bucket. */
  readonly region: string;
  /** The database, or the secret that describes it. */
  readonly target: ConnectionSettings | SecretReference;
  /** The tables whose rows to restore; empty for the whole dump. */
  readonly tables: readonly TableName[];
  /** Whether these are restored under their own names. */
  readonly asIs: boolean;
  /** Whether to accept a database that is not empty. */
  readonly intoNonEmpty: boolean;
  /** Whether to accept an encoding or locale that may damage or refuse text or money of the dump, or move its rows. */
  readonly acceptEncoding: boolean;
  /** Whether to create roles that the dump refers to and the server lacks. */
  readonly createRoles: boolean;
  /** What of the rows to compare at the end. */
  readonly verification: Verification;
  /** Number of parallel connections. */
  readonly jobs: number;
  /** Existing, writable folder for the downloaded dump. */
  readonly scratch: string;
}

export const RESTORE_USAGE =
  'restore s3://BUCKET/KEY --to TARGET [--jobs N] [--into-non-empty] [--accept-encoding] [--create-roles] [--verify rows|content], where TARGET is ' +
  'the ARN of a secret or postgres://user@host:port/database?sslmode=MODE with the password in PGPASSWORD; with ' +
  '--table SCHEMA.TABLE [--table ...] [--as-is] [--accept-encoding], only the rows of these tables';

/** Enough to use more than one core of a large server, and not too many for a small one. */
export const FEWEST_DEFAULT_JOBS = 4;
export const MAX_JOBS = 64;

/**
 * Connections of a restore without `--jobs`: one for each processor, and at least four. Who gives the job more
 * processors wants a large database restored faster.
 *
 * @param processors of this machine, virtual ones
 */
export function defaultJobs(processors: number): number {
  return Math.min(Math.max(FEWEST_DEFAULT_JOBS, processors), MAX_JOBS);
}

/** The key is not URL-decoded: percent signs are part of it. */
const S3_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;

/** @returns undefined if it is no such URL */
export function parseDumpUrl(text: string): DumpObject | undefined {
  const [, bucket, key] = S3_URL.exec(text) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

/** A message never repeats the target, which may contain a password. */
function misuse(problem: string): Failure {
  return new Failure('misuse', `${problem} Usage: ${RESTORE_USAGE}.`);
}

function isSslMode(text: string): text is SslMode {
  return SSL_MODES.some((mode) => mode === text);
}

/** Decodes a name in a URL. */
function decoded(text: string): string {
  try {
    const name = decodeURIComponent(text);
    // The client programs receive the name as an environment variable, which cannot contain a NUL.
    if (!name.includes('\0')) {
      return name;
    }
  } catch {
    // Not UTF-8, or not a percent escape.
  }
  throw misuse('The URL of the target has an invalid percent escape: write % as %25; NUL is not allowed.');
}

function parseTargetUrl(text: string, password: string): ConnectionSettings {
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    throw misuse('--to must be the ARN of a secret, or a URL that begins with postgres://.');
  }
  const url = new URL(text);
  if (url.password !== '' || url.searchParams.has('password')) {
    throw misuse('The URL must not contain the password, because process lists would show it.');
  }
  const endpoint = parseEndpoint(url.host);
  const sslMode = url.searchParams.get('sslmode') ?? undefined;
  const database = decoded(url.pathname.slice(1));
  if (endpoint === undefined || url.username === '' || database === '') {
    throw misuse('The URL of the target must contain user, host and database.');
  }
  if (Buffer.byteLength(database) > MAX_NAME_BYTES) {
    throw misuse(`The name of the database is longer than the ${MAX_NAME_BYTES} bytes that PostgreSQL allows.`);
  }
  if (sslMode !== undefined && !isSslMode(sslMode)) {
    throw misuse(`The sslmode of the target must be one of ${SSL_MODES.join(', ')}.`);
  }
  if ([...url.searchParams.keys()].some((name) => name !== 'sslmode')) {
    throw misuse('The only parameter allowed in the URL of the target is sslmode.');
  }
  return {
    host: endpoint.host,
    port: endpoint.port ?? DEFAULT_PORT,
    user: decoded(url.username),
    password,
    database,
    ...(sslMode === undefined ? {} : { sslMode }),
  };
}

function parseArguments(args: readonly string[]) {
  const options = {
    to: { type: 'string' },
    jobs: { type: 'string' },
    'into-non-empty': { type: 'boolean' },
    'accept-encoding': { type: 'boolean' },
    'create-roles': { type: 'boolean' },
    verify: { type: 'string' },
    table: { type: 'string', multiple: true },
    'as-is': { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The message names the option, but never its value.
    throw misuse(problemOf(error));
  }
}

type Values = ReturnType<typeof parseArguments>['values'];

function parseJobs(text: string | undefined): number {
  const jobs = Number(text ?? defaultJobs(availableParallelism()));
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MAX_JOBS) {
    throw misuse(`--jobs must be a whole number from 1 to ${MAX_JOBS}.`);
  }
  return jobs;
}

function parseVerification(text = 'rows'): Verification {
  const verification = VERIFICATIONS.find((each) => each === text);
  if (verification === undefined) {
    throw misuse(`--verify must be one of ${VERIFICATIONS.join(', ')}.`);
  }
  return verification;
}

/** The options that have no meaning for single tables. */
const OF_WHOLE_DUMPS = ['jobs', 'into-non-empty', 'create-roles', 'verify'] as const;

function parseTables({ table: texts = [], 'as-is': asIs = false, ...values }: Values): readonly TableName[] {
  if (asIs && texts.length === 0) {
    throw misuse('--as-is is only for tables that are named by --table.');
  }
  const further = OF_WHOLE_DUMPS.filter((name) => values[name] !== undefined);
  if (texts.length > 0 && further.length > 0) {
    throw misuse(`Not for single tables: ${further.map((name) => `--${name}`).join(', ')}.`);
  }
  return texts.map((text) => {
    const name = parseTableName(text);
    if (name === undefined) {
      throw misuse(`--table must name a schema and a table, as in public.orders, not ${JSON.stringify(text)}.`);
    }
    return name;
  });
}

/**
 * Reads the words after `restore`, and what they need of the environment.
 *
 * @throws {Failure} `misuse`
 */
export function parseRestoreOptions(args: readonly string[], environment: NodeJS.ProcessEnv): RestoreOptions {
  const { values, positionals } = parseArguments(args);
  const object = parseDumpUrl(positionals[0] ?? '');
  if (object === undefined || positionals.length > 1) {
    throw misuse('Exactly one dump is required, as s3://BUCKET/KEY.');
  }
  if (values.to === undefined) {
    throw misuse('--to is missing: the database to restore into.');
  }
  const isArn = isSecretArn(values.to);
  const region = environment.AWS_REGION ?? (isArn ? parseArn(values.to).region : undefined);
  if (region === undefined) {
    throw misuse('AWS_REGION is missing: the Region of the bucket.');
  }
  if (!isRegion(region)) {
    throw misuse(`AWS_REGION must be the Region of the bucket, such as us-west-2, not ${JSON.stringify(region)}.`);
  }
  const scratch = environment.TMPDIR;
  if (scratch === undefined || !isWritable(scratch)) {
    throw misuse('TMPDIR must be an existing, writable folder.');
  }
  return {
    object,
    region,
    target: isArn
      ? { secretArn: values.to, region: parseArn(values.to).region }
      : parseTargetUrl(values.to, environment.PGPASSWORD ?? ''),
    tables: parseTables(values),
    asIs: values['as-is'] ?? false,
    intoNonEmpty: values['into-non-empty'] ?? false,
    acceptEncoding: values['accept-encoding'] ?? false,
    createRoles: values['create-roles'] ?? false,
    verification: parseVerification(values.verify),
    jobs: parseJobs(values.jobs),
    scratch,
  };
}
