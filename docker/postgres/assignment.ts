import { identifier, literal } from './names/quoting.ts';
import type { Setting } from './needs/setting.ts';

/**
 * The server keeps the values of these as lists of names, quoted where needed, and all others as texts.
 * Source: GUC_LIST_QUOTE in PostgreSQL's src/backend/utils/misc/guc_tables.c
 */
const LISTS: ReadonlySet<string> = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** A name of a list, in quotes or not. Without, the server takes all but spaces and commas for a part of it. */
const NAMES = /"((?:[^"]|"")*)"|([^\s,]+)/g;

/** Each name becomes a literal, since one without quotes may contain a further statement. */
function listed(value: string): string {
  const names = [...value.matchAll(NAMES)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.toLowerCase(),
  );
  return names.length === 0 ? "''" : names.map((name) => literal(name)).join(', ');
}

function valueOf({ name, value }: Setting): string {
  if (value === null) {
    return '…';
  }
  return LISTS.has(name.toLowerCase()) ? listed(value) : literal(value);
}

/** The name of a setting as SQL. */
export function parameterName(name: string): string {
  return name.split('.').map(identifier).join('.');
}

/** A setting as SQL, after SET. A value that is null, because it may be secret, is `…`. */
export function assignment(setting: Setting): string {
  return `${parameterName(setting.name)} TO ${valueOf(setting)}`;
}
