/** How to log in to a database. */
export interface Database {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** As in libpq. @default - not set in the secret */
  readonly sslmode?: string;
}
