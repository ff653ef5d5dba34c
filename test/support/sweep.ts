/** Which cases of a sweep are taken: a sample in `test`, all in `test:soak`, and in CI another sample each day. */
const SHARES = ['sample', 'another sample', 'all'] as const;

const DAY_MS = 24 * 60 * 60 * 1000;

function share(): (typeof SHARES)[number] {
  const given = process.env.TEST_SWEEP ?? 'sample';
  const found = SHARES.find((each) => each === given);
  if (found === undefined) {
    throw new Error(`TEST_SWEEP must be ${SHARES.join(', ')} or unset, not ${given}.`);
  }
  return found;
}

/**
 * The cases to take of a sweep: of many cases of one kind, which would take too long to be run each time.
 *
 * @param size of the sample, whose cases are as far from each other as possible
 */
export function sweep<T>(cases: readonly T[], size: number): readonly T[] {
  const distance = cases.length / size;
  if (share() === 'all' || distance <= 1) {
    return cases;
  }
  const shift = share() === 'sample' ? 0 : Math.floor(Date.now() / DAY_MS) % Math.ceil(distance);
  return Array.from({ length: size }, (_, index) => (Math.floor(index * distance) + shift) % cases.length).flatMap(
    (index) => cases.slice(index, index + 1),
  );
}
