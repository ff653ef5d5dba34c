/** Values of `sslmode`, with libpq's meaning. */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof SSL_MODES)[number];

/** Maximum length of a name in bytes: NAMEDATALEN - 1. The server silently truncates longer names. */
export const MAX_NAME_BYTES = 63;

/** How to reach a server, and as whom. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty if none was given, which is enough for a server that does not ask for one. */
  readonly password: string;
  readonly sslMode?: SslMode;
  /** The host is known to be a connection pooler that gives a client one session of the server until it disconnects. */
  readonly pooler?: 'session';
}

/** How to reach a database, and as whom. */
export interface ConnectionSettings extends ServerSettings {
  readonly database: string;
}
