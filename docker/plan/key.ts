import { dumpFolder, dumpKeyEnd } from '../../contract.ts';

/**
 * Characters of a database name that must be escaped in a key and in a file name; `%` among them, so that the mapping
 * is one-to-one.
 */
const ESCAPED = /[/\\%\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Key of the dump: `<secret name>/<databasename>-<when as 20261122T080000Z>.dmp`, a pure function of the three.
 *
 * Names are kept as they are (S3 allows any UTF-8), so that people find their dumps, with two exceptions, both
 * percent-encoded as in URLs: slashes, backslashes, percent signs, control and format characters in the database's
 * name, which would make it look like several names, or like another one; and the segments `.` and `..` of the secret's
 * name, which HTTP clients and file systems resolve. Different secrets of an account and Region, and different
 * databases, have different keys. A secret's name has at most 512 ASCII characters and a database's 63 bytes, so a key
 * never reaches the limit of 1,024 bytes.
 */
export function dumpKey(secretName: string, database: string, scheduledFor: string): string {
  return `${dumpFolder(secretName)}/${nameInKey(database)}${dumpKeyEnd(scheduledFor)}`;
}

/** The part of a dump's key that stands for its database. */
export function nameInKey(database: string): string {
  return database.replace(ESCAPED, encodeURIComponent);
}

/** Key of the roles of a server: it ends otherwise than that of a dump, even if a database is called `globals`. */
export function globalsKey(secretName: string, scheduledFor: string): string {
  return dumpKey(secretName, 'globals', scheduledFor).replace(/dmp$/, 'sql');
}
