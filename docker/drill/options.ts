import { parse as parseArn } from '@aws-sdk/util-arn-parser';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { isRegion, parseVariables, VARIABLES } from '../plan/environment.ts';
import { parseDumpUrl } from '../restore/options.ts';
import type { DumpObject } from '../s3/object.ts';
import { inWholeSeconds } from '../time.ts';

/** Whose newest dump to drill. */
export interface DumpsOfSecret {
  readonly secretArn: string;
  /** Buckets that may have dumps of it. */
  readonly buckets: readonly string[];
}

/** One drill. */
export interface DrillOptions {
  readonly dump: DumpObject | DumpsOfSecret;
  /** Region of the buckets. */
  readonly region: string;
  /** Scheduled time, or that of the start: UTC, RFC 3339, whole seconds. */
  readonly when: string;
  /** ARN of the execution; null if there is none. */
  readonly execution: string | null;
  /** Existing, writable folder for the dump and the server. */
  readonly scratch: string;
}

export const DRILL_USAGE = 'drill, configured by the environment, or drill s3://BUCKET/KEY';

const byHand = z.object({
  AWS_REGION: z
    .string('is missing: the Region of the bucket')
    .refine(isRegion, 'must be the Region of the bucket, such as us-west-2'),
  TMPDIR: VARIABLES.TMPDIR,
});

const scheduled = z.object(VARIABLES);

/**
 * Reads the words after `drill`, and what they need of the environment: without any, all that `DrillEnvironment` in the
 * contract describes.
 *
 * @throws {Failure} `misuse`
 */
export function parseDrillOptions(
  [url, ...rest]: readonly string[],
  environment: NodeJS.ProcessEnv,
  now: Date,
): DrillOptions {
  if (url === undefined) {
    const { AUTODUMP_SECRET_ARN: secretArn, ...variables } = parseVariables(scheduled, environment);
    return {
      dump: { secretArn, buckets: variables.AUTODUMP_BUCKETS },
      region: parseArn(secretArn).region,
      when: variables.AUTODUMP_WHEN,
      execution: variables.AUTODUMP_EXECUTION,
      scratch: variables.TMPDIR,
    };
  }
  const dump = parseDumpUrl(url);
  if (dump === undefined || rest.length > 0) {
    throw new Failure('misuse', `At most one dump can be given, as s3://BUCKET/KEY. Usage: ${DRILL_USAGE}.`);
  }
  const { AWS_REGION: region, TMPDIR: scratch } = parseVariables(byHand, environment);
  return { dump, region, when: inWholeSeconds(now), execution: null, scratch };
}
