import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../local/host/program.ts';
import { startS3 } from '../local/services/s3/s3.ts';
import { measure } from './measure.ts';

const BUCKET = 'dumps';

/** Where the program stores it: the secret's name, the database and the scheduled time of the environment. */
const KEY = 'bench/bench-20261122T080000Z.dmp';

/** A dump in an S3 that keeps what it receives. */
export interface StoredDump {
  readonly url: string;
  readonly file: string;
  readonly bytes: number;
  /** Of S3. */
  readonly endpoint: string;
}

/**
 * Makes a dump for the restores.
 *
 * @param folder for S3 and temporary files
 * @param dumpProgram path of the dump program
 * @param environment of it, with another S3
 */
export async function storeDump(
  folder: string,
  dumpProgram: string,
  environment: NodeJS.ProcessEnv,
  { processes, cleanups }: Pick<Program, 'processes' | 'cleanups'>,
): Promise<StoredDump> {
  const s3 = await startS3({ directory: join(folder, 's3') });
  cleanups.push(() => s3.stop());
  await s3.createBucket(BUCKET);
  const scratch = join(folder, 'scratch');
  await mkdir(scratch, { recursive: true });
  const env = { ...environment, AWS_ENDPOINT_URL_S3: s3.endpoint, TMPDIR: scratch };
  await measure(process.execPath, [dumpProgram, 'dump'], { env, scratch, processes });
  const file = s3.fileOf(BUCKET, KEY);
  if (file === undefined) {
    throw new Error(`The dump program stored nothing at ${KEY}.`);
  }
  return { url: `s3://${BUCKET}/${KEY}`, file, bytes: (await stat(file)).size, endpoint: s3.endpoint };
}
