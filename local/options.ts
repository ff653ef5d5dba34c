import { parseArgs } from 'node:util';
import { parseCommandLine } from './host/command-line.ts';
import { InvalidOptions } from './host/misuse.ts';
import type { Database } from './postgres/database.ts';

export interface Options {
  /** The database to dump. @default - a sample database */
  readonly database?: Database;
  /** Value of the schedule tag. */
  readonly schedule: string;
  /** Value of the timezone tag. @default - the secret has no such tag */
  readonly timezone?: string;
  readonly stateDir: string;
  readonly json: boolean;
}

const DEFAULT_PORT = 5432;

/** Characters that AWS allows. */
const MAX_TAG_VALUE = 256;

/** As in libpq: https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

export const HELP = `Makes a real dump of a real PostgreSQL database on this machine, with the same template, functions, state machine
and dump program that "cdk deploy" deploys to AWS. It needs no AWS account.

  npx -y pnpm@12 local [options]

  --database URL    Dump this database instead of the sample: postgres://user@host:port/name?sslmode=require
                    The default port is 5432. Percent-encode reserved characters. Set the password in PGPASSWORD;
                    the URL may contain it too, but then it is visible in the process list, and pnpm prints it.
  --schedule CRON   Cron expression of five fields, or an alias (default @daily). The wait for the first run is skipped.
  --timezone ZONE   IANA name of the schedule's time zone (default UTC).
  --state-dir DIR   Folder for dumps, logs and the synthesized stack, and nothing else (default .autodump).
  --json            Print progress to standard error, and the result as JSON in the last line of standard output.
  --help            Print this text.

Exit status: 0 if the dump was made, proven and drilled, 2 for invalid options, 128 + signal number after a signal, otherwise 1.
`;

/**
 * Parses the command line.
 *
 * @param password of the database, if its URL contains none
 * @returns the options, or `help` if `--help` is among them
 * @throws {InvalidOptions} if an option is unknown or invalid
 */
export function parseOptions(args: readonly string[], password?: string): Options | 'help' {
  const values = parse(args);
  if (values.help === true) {
    return 'help';
  }
  if (values['state-dir'] === '') {
    throw new InvalidOptions('--state-dir is empty. Pass the path of a folder.');
  }
  for (const name of ['schedule', 'timezone'] as const) {
    const length = values[name]?.length ?? 0;
    if (length > MAX_TAG_VALUE) {
      throw new InvalidOptions(
        `--${name} has ${length} characters. It becomes the value of a tag, which has at most ${MAX_TAG_VALUE}.`,
      );
    }
  }
  return {
    ...(values.database === undefined ? {} : { database: parseDatabase(values.database, password) }),
    schedule: values.schedule ?? '@daily',
    ...(values.timezone === undefined ? {} : { timezone: values.timezone }),
    stateDir: values['state-dir'] ?? '.autodump',
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  const { values } = parseCommandLine(args, (own) =>
    parseArgs({
      args: own,
      options: {
        database: { type: 'string' },
        schedule: { type: 'string' },
        timezone: { type: 'string' },
        'state-dir': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  );
  return values;
}

/**
 * Parses the URL of a database. No message repeats the URL, because it may contain a password.
 *
 * @param password used if the URL contains none
 * @throws {InvalidOptions} if the URL is invalid, naming all missing parts
 */
export function parseDatabase(text: string, password: string | undefined): Database {
  const form = 'Expected postgres://user@host:port/name with reserved characters percent-encoded.';
  const url = URL.parse(text);
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new InvalidOptions(`--database is not the URL of a PostgreSQL database. ${form}`);
  }
  const parts = {
    user: decoded(url.username, 'user'),
    host: decoded(url.hostname, 'host').replace(/^\[(.*)\]$/, '$1'),
    name: decoded(url.pathname.replace(/^\//, ''), 'name'),
    password: decoded(url.password, 'password') || (password ?? ''),
  };
  const missing = Object.entries(parts).flatMap(([part, value]) => (value === '' ? [part] : []));
  if (missing.length > 0) {
    const advice = missing.includes('password') ? ' Set the password in PGPASSWORD.' : '';
    throw new InvalidOptions(`--database lacks: ${missing.join(', ')}. ${form}${advice}`);
  }
  const unsupported = [...url.searchParams.keys()].find((name) => name !== 'sslmode');
  if (unsupported !== undefined) {
    throw new InvalidOptions(`--database has the parameter ${unsupported}; only sslmode is supported.`);
  }
  const sslmode = url.searchParams.get('sslmode');
  if (sslmode !== null && !SSL_MODES.includes(sslmode)) {
    throw new InvalidOptions(`--database has sslmode=${sslmode}; it must be one of ${SSL_MODES.join(', ')}.`);
  }
  return {
    host: parts.host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user: parts.user,
    password: parts.password,
    database: parts.name,
    ...(sslmode === null ? {} : { sslmode }),
  };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidOptions(
      `--database has an invalid percent-encoding in its ${part}. Encode a percent sign as %25.`,
    );
  }
}
