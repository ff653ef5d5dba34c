import { freeSpace } from '../disk.ts';
import { Failure } from '../failure.ts';
import { formatBytes } from '../progress.ts';
import type { StoredDump } from '../restore/stored-dump/stored-dump.ts';

const GIB = 1024 ** 3;

/** For the files of an empty server, its log of changes and its temporary files. */
const OF_SERVER = GIB;

/** For the image, which is on the same disk in Fargate. */
const OF_IMAGE = 3 * GIB;

/** What Fargate offers, in GiB: https://docs.aws.amazon.com/batch/latest/APIReference/API_EphemeralStorage.html */
const LEAST = 21;
const MOST = 200;

/** Bytes that the drill of a dump needs on the local disk. */
export function neededSpace({ bytes, databaseBytes }: Pick<StoredDump, 'bytes' | 'databaseBytes'>): number {
  return bytes + databaseBytes + OF_SERVER;
}

/** What to do where that does not fit. */
export function spaceAdvice(needed: number): string {
  const gib = Math.max(Math.ceil((needed + OF_IMAGE) / GIB), LEAST);
  return gib > MOST
    ? `It needs about ${gib} GiB, and Fargate offers at most ${MOST}: drill it by hand, on a larger machine.`
    : `Deploy with the context ephemeralStorageGiB=${gib}, or drill it by hand on a machine with a larger disk.`;
}

/** @throws {Failure} `refused` if the dump and its database do not fit on the disk of the folder */
export async function checkSpace(dump: StoredDump, folder: string): Promise<void> {
  const needed = neededSpace(dump);
  const free = await freeSpace(folder);
  if (needed <= free) {
    return;
  }
  const database =
    dump.databaseBytes === 0
      ? 'its database is of unknown size'
      : `its database had ${formatBytes(dump.databaseBytes)} on the disk of its server`;
  throw new Failure(
    'refused',
    `The dump has ${formatBytes(dump.bytes)}, and ${database}. With ${formatBytes(OF_SERVER)} for the server's own files, a drill ` +
      `needs ${formatBytes(needed)}, and the local disk has only ${formatBytes(free)} free. ${spaceAdvice(needed)}`,
  );
}
