/**
 * Characters of a database name that a key or a file name can't take as they are; `%` so that the rest stays
 * one-to-one.
 */
const UNFIT = /[/\\%\p{Cc}]/gu;

/**
 * Key of the dump: `<secret name>/<databasename>-<when as 20261122T080000Z>.dmp`, a pure function of the three.
 *
 * Names stay as they are (S3 takes any UTF-8), so that people find their dumps, with two exceptions, both written in
 * the percent encoding of URLs: in the database's name slashes, backslashes, percent and control characters, which
 * would make it look like more than one name; in the secret's name the parts `.` and `..`, which HTTP clients and file
 * systems resolve. Different secrets of an account and Region, and different databases, have different keys. A secret's name has 512 ASCII characters at
 * most and a database's 63 bytes, so the limit of 1,024 bytes on a key is never met.
 */
export function dumpKey(secretName: string, database: string, scheduledFor: string): string {
  const folder = secretName
    .split('/')
    .map((part) => (part === '.' || part === '..' ? part.replaceAll('.', '%2E') : part))
    .join('/');
  const name = database.replace(UNFIT, encodeURIComponent);
  return `${folder}/${name}-${scheduledFor.replace(/[-:]/g, '')}.dmp`;
}
