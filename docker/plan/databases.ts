/** In a secret, stands for all databases of the server. A database that is called so is named in a list. */
export const ALL_DATABASES = '*';

/** Which databases a secret asks to dump. */
export type Databases =
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'list'; readonly names: readonly string[] }
  /** All that accept connections, except for templates and that of RDS itself. */
  | { readonly kind: 'all' };

/** The databases of a run of a secret that asks for more than one, the largest first. */
export interface DatabasesOfRun {
  readonly names: readonly string[];
  /** Databases of the server that are not dumped. */
  readonly leftOut: readonly { readonly database: string; readonly reason: string }[];
}
