import type { Answer } from '../postgres/connection/if-answered.ts';
import { type DumpLoad, MANY_LARGE_OBJECTS } from '../postgres/dump-load.ts';

/** Connections that a dump reads rows with. */
export interface Jobs {
  readonly jobs: number;
  /** Why they are fewer than the secret asks for, if they are. */
  readonly reason?: string;
}

/**
 * Connections per processor at most: with few, more than one is worthwhile, as a connection that waits for the network
 * leaves its processor to another.
 */
const PER_PROCESSOR = 2;

/**
 * How many connections a dump reads rows with: as many as asked for, unless more than so many are of no use, or would
 * take what others need.
 *
 * @param asked by the secret
 * @param processors of this machine, virtual ones
 */
export function chooseJobs(asked: number, processors: number, load: Answer<DumpLoad>): Jobs {
  const limits = [
    { jobs: PER_PROCESSOR * processors, reason: `the number of processors is ${processors}` },
    ...('value' in load
      ? limitsOf(load.value)
      : [{ jobs: 1, reason: `the server does not say how many are of use (${load.unseen})` }]),
  ];
  return limits
    .map(({ jobs, reason }) => ({ jobs: Math.max(1, jobs), reason }))
    .reduce<Jobs>((least, limit) => (limit.jobs < least.jobs ? limit : least), { jobs: asked });
}

/** How many connections read rows, in words: `2, not 4 as the secret asks for, because the number of tables is 2`. */
export function describeJobs(asked: number, { jobs, reason }: Jobs): string {
  return reason === undefined ? `${jobs}` : `${jobs}, not ${asked} as the secret asks for, because ${reason}`;
}

function limitsOf({ tables, largeObjects, freeConnections }: DumpLoad): readonly Required<Jobs>[] {
  return [
    // Each table is read by one.
    { jobs: tables, reason: `the number of tables is ${tables}` },
    // One more waits for the others, and one asks whether DDL interferes.
    { jobs: Math.floor(freeConnections / 2) - 2, reason: `the number of free connections is ${freeConnections}` },
    // Each would be a file.
    ...(largeObjects < MANY_LARGE_OBJECTS
      ? []
      : [{ jobs: 1, reason: `the number of large objects is ${MANY_LARGE_OBJECTS} or more` }]),
  ];
}
