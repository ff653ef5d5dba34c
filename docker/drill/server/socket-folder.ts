import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failure.ts';
import { DEFAULT_PORT } from '../../postgres/connection/endpoint.ts';

/** Longest path of a socket in bytes, without NUL: `sun_path` has 104 in macOS, and 108 in Linux (unix(7)). */
const MAX_SOCKET_PATH = 103;

/** Where a path is always short. The image, whose root is read-only, does not need it: there TMPDIR is short. */
const SHORT = '/tmp';

/** Whether the paths of a server's socket, and of its lock file, are short enough in a folder. */
export function fitsSocket(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${DEFAULT_PORT}.lock`)) <= MAX_SOCKET_PATH;
}

/**
 * The folder for a server's socket: that of the server or, if its path is too long, as below the TMPDIR of macOS, a new
 * one, which the caller must remove.
 *
 * @throws {Failure} `misuse` if there cannot be one
 */
export async function socketFolderFor(folder: string): Promise<string> {
  if (fitsSocket(folder)) {
    return folder;
  }
  try {
    return await mkdtemp(join(SHORT, 'autodump-'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      'misuse',
      `The path of TMPDIR is too long for the socket of a server, ${folder}, and there can be none in ${SHORT} (${reason}): ` +
        'set TMPDIR to a folder with a shorter path.',
      { cause },
    );
  }
}
