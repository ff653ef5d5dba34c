/** Modes of `sslmode`, with the meaning that libpq gives them. */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof SSL_MODES)[number];

/** Longest name of a database, in bytes of UTF-8: NAMEDATALEN - 1. The server would cut a longer one off silently. */
export const LONGEST_NAME = 63;

/** A database, and who goes there. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty where none was given, which does for a server that asks for none. */
  readonly password: string;
  readonly database: string;
  /** Absent where the secret names none. */
  readonly sslMode?: SslMode;
}

/** The database to dump and the bucket to dump it to, as the secret says. */
export interface DumpTarget extends ConnectionSettings {
  readonly bucket: string;
}
