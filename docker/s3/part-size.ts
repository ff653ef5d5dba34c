const MIB = 1024 * 1024;

/** S3's limits for one upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MOST_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;

/** Bytes of the first part at least, and of every other but the last. S3's own limit is 5 MiB. */
export const SMALLEST_PART = 8 * MIB;

/** Parts that a dump as large as the estimate has. */
const EXPECTED_PARTS = 400;

/** Where the estimate proves wrong, each part is this share of what there is before it. */
const SHARE = 64;

/**
 * Bytes of the part that begins at `from`, whole MiB. They follow from the estimate of the dump's size, and beyond it
 * from the size so far, so that the parts suffice for 50 TB, S3's largest object, whatever the estimate was.
 */
export function partSize(from: number, estimate: number): number {
  const bytes = from < estimate ? estimate / EXPECTED_PARTS : from / SHARE;
  return Math.min(Math.max(Math.ceil(bytes / MIB) * MIB, SMALLEST_PART), LARGEST_PART);
}
