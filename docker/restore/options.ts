import { parseArgs } from 'node:util';
import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { Failure } from '../failure.ts';
import { isSecretArn, isWritable } from '../plan/environment.ts';
import type { SecretAddress } from '../plan/fetch-secret.ts';
import { type ConnectionSettings, LONGEST_NAME, SSL_MODES, type SslMode } from '../postgres/connection-settings.ts';
import { parseEndpoint } from '../postgres/endpoint.ts';
import type { DumpObject } from '../s3/object.ts';

/** What one run is to restore, and where to. */
export interface RestoreOrder {
  readonly object: DumpObject;
  /** Region of the bucket. */
  readonly region: string;
  /** The database, or the secret that describes it. */
  readonly target: ConnectionSettings | SecretAddress;
  /** Whether a database that holds something already will do. */
  readonly intoNonEmpty: boolean;
  /** Connections that restore side by side. */
  readonly jobs: number;
  /** Existing, writable folder for the dump. */
  readonly scratch: string;
}

export const RESTORE_USAGE =
  'restore s3://BUCKET/KEY --to TARGET [--jobs N] [--into-non-empty], where TARGET is the ARN of a secret or ' +
  'postgres://user@host:port/database?sslmode=MODE with the password in the variable PGPASSWORD';

/** What a small server bears, and a large one makes use of. */
export const DEFAULT_JOBS = 4;
export const MOST_JOBS = 64;

const DEFAULT_PORT = 5432;

/** A key is taken as it is: it is no URL, and its percent signs are its own. */
const S3_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/s;

/** No message repeats what was given as the target: a password may be in it. */
function misuse(problem: string): Failure {
  return new Failure('misuse', `${problem} The words are: ${RESTORE_USAGE}.`);
}

function isSslMode(text: string): text is SslMode {
  return SSL_MODES.some((mode) => mode === text);
}

/** A name in a URL, as it is meant. */
function decoded(text: string): string {
  try {
    const name = decodeURIComponent(text);
    // Programs are given it in their environment, which holds no NUL.
    if (!name.includes('\0')) {
      return name;
    }
  } catch {
    // Not UTF-8, or no escape at all.
  }
  throw misuse('In the URL of the target a percent sign is written %25, and NUL is in no name.');
}

function parseTargetUrl(text: string, password: string): ConnectionSettings {
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    throw misuse('What --to names is neither the ARN of a secret nor a URL that begins with postgres://.');
  }
  const url = new URL(text);
  if (url.password !== '' || url.searchParams.has('password')) {
    throw misuse('The password must not be in the URL, where every process list shows it.');
  }
  const endpoint = parseEndpoint(url.host);
  const sslMode = url.searchParams.get('sslmode') ?? undefined;
  const database = decoded(url.pathname.slice(1));
  if (endpoint === undefined || url.username === '' || database === '') {
    throw misuse('The URL of the target lacks user, host or database.');
  }
  if (Buffer.byteLength(database) > LONGEST_NAME) {
    throw misuse(`The name of the database is longer than the ${LONGEST_NAME} bytes that PostgreSQL allows.`);
  }
  if (sslMode !== undefined && !isSslMode(sslMode)) {
    throw misuse(`The sslmode of the target must be one of ${SSL_MODES.join(', ')}.`);
  }
  if ([...url.searchParams.keys()].some((name) => name !== 'sslmode')) {
    throw misuse('The URL of the target may set sslmode, and nothing else.');
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

function parseWords(args: readonly string[]) {
  const options = { to: { type: 'string' }, jobs: { type: 'string' }, 'into-non-empty': { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Names the option, never its value.
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}

function parseJobs(text: string | undefined): number {
  const jobs = Number(text ?? DEFAULT_JOBS);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MOST_JOBS) {
    throw misuse(`--jobs must be a whole number from 1 to ${MOST_JOBS}.`);
  }
  return jobs;
}

/**
 * Reads the words after `restore`, and what they need of the environment.
 *
 * @throws {Failure} `misuse`
 */
export function readRestoreOrder(args: readonly string[], environment: NodeJS.ProcessEnv): RestoreOrder {
  const { values, positionals } = parseWords(args);
  const [, bucket, key] = S3_URL.exec(positionals[0] ?? '') ?? [];
  if (bucket === undefined || key === undefined || positionals.length > 1) {
    throw misuse('One dump is to be named, as s3://BUCKET/KEY.');
  }
  if (values.to === undefined) {
    throw misuse('--to is missing: where to restore to.');
  }
  const isArn = isSecretArn(values.to);
  const region = environment.AWS_REGION ?? (isArn ? parseArn(values.to).region : undefined);
  if (region === undefined) {
    throw misuse('The variable AWS_REGION is missing: the Region of the bucket.');
  }
  const scratch = environment.TMPDIR;
  if (scratch === undefined || !isWritable(scratch)) {
    throw misuse('The variable TMPDIR must name an existing folder that this program may write to.');
  }
  return {
    object: { bucket, key },
    region,
    target: isArn
      ? { secretArn: values.to, region: parseArn(values.to).region }
      : parseTargetUrl(values.to, environment.PGPASSWORD ?? ''),
    intoNonEmpty: values['into-non-empty'] ?? false,
    jobs: parseJobs(values.jobs),
    scratch,
  };
}
