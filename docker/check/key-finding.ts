import type { S3Client } from '@aws-sdk/client-s3';
import type { Plan } from '../plan/plan.ts';
import { findDump } from '../s3/find-dump.ts';
import { type Finding, runCheck } from './finding.ts';
import { KEY } from './preflight.ts';

export async function keyFinding({ object }: Plan, s3: S3Client, signal: AbortSignal): Promise<Finding> {
  return runCheck(KEY, async () => {
    const found = await findDump(s3, object, signal);
    return found === undefined
      ? `s3://${object.bucket}/${object.key} is free`
      : `s3://${object.bucket}/${object.key} already exists, ${found.bytes} bytes: this dump exists and will not be made again`;
  });
}
