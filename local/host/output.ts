import type { Writable } from 'node:stream';

/** How long a program that was asked to end waits for a reader that has stopped reading its output. */
const PATIENCE_MS = 5_000;

/**
 * Waits until standard output and standard error have been written: `process.exit` drops what a pipe has not taken yet.
 * That output is lost is reported by the stream's event `error`, before this resolves.
 *
 * @param signal makes it give up after five seconds; without it, it waits as long as it takes
 */
export async function flushOutput(signal?: AbortSignal): Promise<void> {
  const written = Promise.all([process.stdout, process.stderr].map(flush));
  const outOfPatience = new Promise((resolve) => {
    const wait = () => setTimeout(resolve, PATIENCE_MS).unref();
    if (signal?.aborted === true) {
      wait();
    }
    signal?.addEventListener('abort', wait);
  });
  await Promise.race([written, outOfPatience]);
}

function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => setImmediate(resolve));
  });
}

/** Ends a stream, and resolves when all of it has been written. Failures are reported by its event `error`. */
export function endOutput(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.end(() => {
      resolve();
    });
  });
}
