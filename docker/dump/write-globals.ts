import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { awsFailure } from '../aws.ts';
import { log } from '../log.ts';
import type { ChosenDatabases } from '../plan/choose-databases.ts';
import { globalsOf, type StoredGlobals } from '../plan/plan.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import { tlsPolicy } from '../postgres/connection/tls/tls.ts';
import { globalsScript } from '../postgres/needs/globals-script.ts';
import { inspectGlobals } from '../postgres/needs/globals.ts';
import type { RunContext } from '../run-context.ts';
import { putNewText } from '../s3/put-new.ts';

/**
 * Writes the server's roles and memberships, to expire with the dumps, unless an earlier attempt has.
 *
 * @throws {Failure} `refused`, `tryAgain`; `verificationFailed` if S3 stored other bytes
 */
export async function writeGlobals(
  s3: S3Client,
  { secret, asked }: ChosenDatabases,
  { rdsRoots, signal }: RunContext,
): Promise<StoredGlobals> {
  const object = globalsOf(secret);
  const { bucket, key } = object;
  const url = `s3://${bucket}/${key}`;
  const globals = await withConnection(asked, tlsPolicy(asked, rdsRoots), signal, inspectGlobals);
  const script = globalsScript(globals);
  try {
    if ((await putNewText(s3, object, script, 'application/sql')) === 'taken') {
      log(`An earlier attempt already wrote the roles: ${url}`);
      return { key, bytes: null, sha256: null };
    }
  } catch (error) {
    throw awsFailure(`write the roles to ${url}`, error);
  }
  log(`Roles and memberships, without passwords: ${url}`);
  const sha256 = createHash('sha256').update(script).digest('hex');
  return { key, bytes: Buffer.byteLength(script), sha256 };
}
