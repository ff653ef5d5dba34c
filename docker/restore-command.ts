import { posix } from 'node:path';

import type { DumpObject } from './manifest.ts';

/** The text as one word of a POSIX shell, whatever it holds. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Shell command that fetches the dump and restores it, fit to be pasted once PGHOST, PGUSER, PGPASSWORD and PGDATABASE
 * point at an empty database; without PGDATABASE it says so. It fetches to a file, not into a pipe, because four jobs
 * at once need one to seek in.
 */
export function restoreCommand({ bucket, key }: DumpObject): string {
  const file = quoted(`./${posix.basename(key)}`);
  const database = '"${PGDATABASE:?set PGHOST, PGUSER, PGPASSWORD and PGDATABASE to an empty database}"';
  return (
    `aws s3 cp ${quoted(`s3://${bucket}/${key}`)} ${file} && ` +
    `pg_restore --no-owner --jobs=4 --dbname=${database} ${file}`
  );
}
