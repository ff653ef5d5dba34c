import { posix } from 'node:path';
import type { Task } from '../plan/environment.ts';
import type { DumpObject } from '../s3/object.ts';

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

/**
 * Shell command that has a job of the stack restore the dump, once TARGET is set to the ARN of a secret that describes
 * an empty database and bears the tag for it; without TARGET it says so.
 */
export function restoreJobCommand({ bucket, key }: DumpObject, { restoreJob, region }: Task): string {
  const target = '"${TARGET:?set it to the ARN of a secret, tagged autodump:restore-target, of an empty database}"';
  const beginning = JSON.stringify({ command: ['restore', `s3://${bucket}/${key}`, '--to', ''] }).slice(
    0,
    -'"]}'.length,
  );
  return (
    `aws batch submit-job --region ${region} --job-name restore --job-queue ${restoreJob} --job-definition ${restoreJob} ` +
    `--container-overrides ${quoted(beginning)}${target}'"]}'`
  );
}
