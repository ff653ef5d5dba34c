import { parseArgs } from 'node:util';

/** A database of the user's, as its URL and the environment describe it. */
export interface DatabaseOption {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslmode?: string;
}

export interface Options {
  /** @default - a sample database */
  readonly database?: DatabaseOption;
  /** Value of the schedule tag. */
  readonly schedule: string;
  /** Value of the timezone tag; without one there is no such tag. */
  readonly timezone?: string;
  readonly stateDir: string;
  readonly json: boolean;
}

/** The command line makes no sense. */
export class InvalidOptions extends Error {
  override readonly name = 'InvalidOptions';
}

const DEFAULT_PORT = 5432;

/** libpq's own: https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

export const HELP = `Makes a real dump of a real PostgreSQL database on this machine, with the template, functions, state machine
and dump program that "cdk deploy" would put on AWS. It needs no AWS account.

  npx -y pnpm@12 local [options]

  --database URL    Dump this database instead of a sample: postgres://user@host:port/name?sslmode=require
                    The port is 5432 if left out; reserved characters are percent-encoded. The password comes
                    from PGPASSWORD. One in the URL works too, but shows in the list of processes, and pnpm prints it.
  --schedule CRON   Five-field cron or an alias (default @daily). The wait for the first run is skipped.
  --timezone ZONE   IANA name of the schedule's zone (default UTC).
  --state-dir DIR   Where dumps, logs and the synthesized stack go (default .autodump).
  --json            Progress goes to standard error, the last line of standard output is the result as JSON.
  --help            This text.

Exit status: 0 for a dump that is proven, 2 for options that make no sense, 128 + number for a signal, 1 for the rest.
`;

/**
 * Reads the command line.
 *
 * @returns `help` if that is what was asked for
 * @throws {InvalidOptions}
 */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options | 'help' {
  const values = parse(args);
  if (values.help === true) {
    return 'help';
  }
  if (values['state-dir'] === '') {
    throw new InvalidOptions('--state-dir is empty; it is to name a folder.');
  }
  return {
    ...(values.database === undefined ? {} : { database: parseDatabase(values.database, environment.PGPASSWORD) }),
    schedule: values.schedule ?? '@daily',
    ...(values.timezone === undefined ? {} : { timezone: values.timezone }),
    stateDir: values['state-dir'] ?? '.autodump',
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  // Package runners differ in whether they pass the separator on.
  const own = args[0] === '--' ? args.slice(1) : args;
  try {
    return parseArgs({
      args: [...own],
      options: {
        database: { type: 'string' },
        schedule: { type: 'string' },
        timezone: { type: 'string' },
        'state-dir': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/(?<=\.) To specify/);
    throw new InvalidOptions(`${reason.replace(/\.$/, '')}. See --help.`);
  }
}

/**
 * Reads the URL of a database. No message repeats the URL, which may hold a password.
 *
 * @param password of the environment; one in the URL comes first
 * @throws {InvalidOptions} that names every part which is missing
 */
export function parseDatabase(text: string, password: string | undefined): DatabaseOption {
  const form = 'It has the form postgres://user@host:port/name, reserved characters percent-encoded.';
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
    const advice = missing.includes('password') ? ' The password is taken from PGPASSWORD.' : '';
    throw new InvalidOptions(`--database lacks: ${missing.join(', ')}. ${form}${advice}`);
  }
  const other = [...url.searchParams.keys()].find((name) => name !== 'sslmode');
  if (other !== undefined) {
    throw new InvalidOptions(`--database has the parameter ${other}; only sslmode is known.`);
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
      `--database has a percent sign in its ${part} that encodes nothing. A percent sign itself is written %25.`,
    );
  }
}
