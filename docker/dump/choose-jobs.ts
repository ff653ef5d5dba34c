import { type DumpLoad, MANY_LARGE_OBJECTS } from '../postgres/dump-load.ts';
import { formatBytes } from '../progress.ts';

/** Connections that a dump reads rows with, and why not more. */
export interface Jobs {
  readonly jobs: number;
  readonly reason: string;
}

export interface JobsBasis {
  /** Of the secret. */
  readonly asked: number | undefined;
  /** Upper estimate of the dump's size, in bytes. */
  readonly estimate: number;
  /** Virtual processors of this machine. */
  readonly processors: number;
  /** Undefined if the server did not answer. */
  readonly load: DumpLoad | undefined;
}

/** Below, the start of more processes takes as long as they save. */
const WORTHWHILE_BYTES = 1e9;

/** So that a dump does not slow down what the database is for. */
const MOST = 8;

/**
 * How many connections a dump is fastest with. Each needs a processor, for pg_dump compresses what it reads. A table is
 * read by one of them, so its largest one is what a dump cannot be faster than. At most half of the connections that
 * are free are taken.
 */
export function chooseJobs({ asked, estimate, processors, load }: JobsBasis): Jobs {
  if (asked !== undefined) {
    return { jobs: asked, reason: 'the secret says so' };
  }
  if (estimate < WORTHWHILE_BYTES) {
    return { jobs: 1, reason: `the dump is not expected to be larger than ${formatBytes(WORTHWHILE_BYTES)}` };
  }
  if (load === undefined) {
    return { jobs: 1, reason: 'the server did not say how large its tables are, and how many connections are free' };
  }
  if (load.largeObjects >= MANY_LARGE_OBJECTS) {
    return { jobs: 1, reason: `there are ${MANY_LARGE_OBJECTS} large objects or more` };
  }
  const { tableBytes, largestBytes, freeConnections } = load;
  const limits = [
    { jobs: MOST, reason: 'more would slow down the database' },
    { jobs: processors, reason: `the job has ${processors} processors` },
    // One more waits for the others, and one asks whether DDL interferes.
    { jobs: Math.floor(freeConnections / 2) - 2, reason: `${freeConnections} connections are free` },
    ...(largestBytes === 0
      ? []
      : [{ jobs: Math.ceil(tableBytes / largestBytes), reason: 'the largest table is so much of all' }]),
  ];
  const least = limits.reduce((one, other) => (other.jobs < one.jobs ? other : one));
  return { ...least, jobs: Math.max(1, least.jobs) };
}
