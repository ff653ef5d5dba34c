const MIB = 1024 * 1024;

/** S3's limits for a multipart upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;

/** Bytes of the smallest part, except the last. S3's own minimum is 5 MiB. */
export const SMALLEST_PART = 8 * MIB;

/** Number of parts of a dump that is as large as estimated. */
const EXPECTED_PARTS = 400;

/** Beyond the estimate, each part is this fraction of the bytes before it. */
const FRACTION = 64;

/**
 * Bytes of the part that begins at `from`, in whole MiB: a fixed size up to the estimated size of the dump, and growing
 * parts beyond it, so that MAX_PARTS suffice for 50 TB, S3's largest object, however wrong the estimate is.
 */
export function partSize(from: number, estimate: number): number {
  const bytes = from < estimate ? estimate / EXPECTED_PARTS : from / FRACTION;
  return Math.min(Math.max(Math.ceil(bytes / MIB) * MIB, SMALLEST_PART), LARGEST_PART);
}
