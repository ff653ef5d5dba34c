import { posix } from 'node:path';
import { RESTORE_TARGET_TAG } from '../../contract.ts';
import type { Task } from '../plan/environment.ts';
import type { DumpObject } from '../s3/object.ts';

/** Quotes any text as one word for a POSIX shell. */
function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Shell command that downloads the dump and restores it. Can be pasted once PGHOST, PGUSER, PGPASSWORD and PGDATABASE
 * point to an empty database; without PGDATABASE it prints that. It downloads to a file instead of a pipe because
 * parallel jobs must be able to seek.
 */
export function restoreCommand({ bucket, key }: DumpObject): string {
  const file = shellQuoted(`./${posix.basename(key)}`);
  const database = '"${PGDATABASE:?set PGHOST, PGUSER, PGPASSWORD and PGDATABASE to an empty database}"';
  return (
    `aws s3 cp ${shellQuoted(`s3://${bucket}/${key}`)} ${file} && ` +
    `pg_restore --no-owner --jobs=4 --dbname=${database} ${file}`
  );
}

/**
 * Shell command that submits a restore job of the stack. Can be pasted once TARGET is set to the ARN of a secret that
 * describes an empty database and has the restore-target tag; without TARGET it prints that.
 */
export function restoreJobCommand({ bucket, key }: DumpObject, { restoreJob, region }: Task): string {
  const target = `"\${TARGET:?set it to the ARN of a secret, tagged ${RESTORE_TARGET_TAG}, of an empty database}"`;
  const end = '"]}';
  const start = JSON.stringify({ command: ['restore', `s3://${bucket}/${key}`, '--to', ''] }).slice(0, -end.length);
  return (
    `aws batch submit-job --region ${region} --job-name restore --job-queue ${restoreJob} --job-definition ${restoreJob} ` +
    `--container-overrides ${shellQuoted(start)}${target}${shellQuoted(end)}`
  );
}
