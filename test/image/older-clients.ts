import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';
import type { DebianClient } from './debian-base.ts';

const PROGRAM = 'autodump.js';

/**
 * The oldest client programs that an image may have, except for majors of which Debian has only older ones: of those it
 * is Debian's. What is wrong with them takes a crafted archive to exploit, and the test restores only its own.
 */
export function minimumsFor(clients: readonly DebianClient[]): readonly string[] {
  return MINIMUM_CLIENT_VERSIONS.map((minimum) => {
    const found = clients.find(({ major }) => minimum.startsWith(`${major}.`));
    return found !== undefined && isOlder(found.version, minimum) ? found.version : minimum;
  });
}

function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) < 0;
}

/** For the reader. */
export function described(clients: readonly DebianClient[], minimums: readonly string[]): string {
  const required: readonly string[] = MINIMUM_CLIENT_VERSIONS;
  return clients
    .map(({ version }) =>
      minimums.includes(version) && !required.includes(version) ? `${version} (too old outside of this test)` : version,
    )
    .join(', ');
}

/**
 * A build context whose program accepts client programs from these versions on.
 *
 * @param folder to create
 * @returns the context itself if that is what it does already, otherwise the folder
 * @throws {Error} if the program does not contain the list of versions
 */
export async function accepting(minimums: readonly string[], context: string, folder: string): Promise<string> {
  const required = JSON.stringify(MINIMUM_CLIENT_VERSIONS);
  const accepted = JSON.stringify(minimums);
  if (accepted === required) {
    return context;
  }
  await cp(context, folder, { recursive: true });
  const program = await readFile(join(folder, PROGRAM), 'utf8');
  if (!program.includes(required)) {
    throw new Error(`${PROGRAM} does not contain ${required}, and so cannot be made to accept ${accepted}.`);
  }
  await writeFile(join(folder, PROGRAM), program.replace(required, accepted));
  return folder;
}
