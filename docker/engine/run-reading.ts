import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { type ChildExit, type ChildOptions, start } from '../process/child.ts';

/** The longest path of a socket, in bytes: 108 on Linux and 104 elsewhere, with a zero at the end. */
const MAX_PATH_BYTES = 103;

interface Reading {
  /** For the child. */
  readonly stdout: Socket;
  /** Settles when everything was read. */
  readonly closed: Promise<unknown>;
}

/**
 * Opens a socket whose output is read into one buffer, where the file system and the length of the path allow it.
 * Reading an ordinary stream takes memory for every 64 KiB, and with that twice the processor time: of a fast dump,
 * several per cent.
 *
 * @param path to which nobody else has access
 * @returns undefined if there can be no socket
 */
async function openReading(
  path: string,
  buffer: Buffer,
  onOutput: (piece: Buffer) => void,
): Promise<Reading | undefined> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    return undefined;
  }
  const server = createServer({ pauseOnConnect: true }).listen(path);
  try {
    const isListening = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isListening) {
      return undefined;
    }
    const callback = (bytes: number) => {
      onOutput(buffer.subarray(0, bytes));
      return true;
    };
    const reader = connect({ path, onread: { buffer, callback } });
    const closed = once(reader, 'close');
    // Nobody waits for it if the connection fails, or the child cannot be started.
    closed.catch(() => undefined);
    const [accepted] = await Promise.all([once(server, 'connection'), once(reader, 'connect')]);
    const stdout: unknown = accepted[0];
    if (!(stdout instanceof Socket)) {
      throw new TypeError('A server accepted something else than a socket.');
    }
    return { stdout, closed };
  } finally {
    server.close();
  }
}

export interface ReadingOptions extends Omit<ChildOptions, 'stdout'> {
  /** To which nobody else has access. */
  readonly folder: string;
  /** For reading. */
  readonly buffer: Buffer;
  /** Called with each piece of the output, which is valid only during the call. Must not throw. */
  readonly onOutput: (piece: Buffer) => void;
}

/**
 * Runs a program to its end, and reads its standard output, of which there may be very much.
 *
 * @throws {Error} as the `exit` of {@link start} rejects
 */
export async function runReading(
  program: string,
  args: readonly string[],
  { folder, buffer, onOutput, ...options }: ReadingOptions,
): Promise<ChildExit> {
  const reading = await openReading(join(folder, 'output'), buffer, onOutput);
  if (reading === undefined) {
    const { output, exit } = start(program, args, options);
    output.on('data', onOutput);
    return exit;
  }
  const { stdout, closed } = reading;
  let exit: Promise<ChildExit>;
  try {
    ({ exit } = start(program, args, { ...options, stdout }));
  } finally {
    // The child has its own copy.
    stdout.destroy();
  }
  const [end] = await Promise.all([exit, closed]);
  return end;
}
