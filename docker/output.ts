import type { Writable } from 'node:stream';

/** How long a program that was asked to end waits for a reader that has stopped reading its output. */
const PATIENCE_MS = 5_000;

/**
 * Waits until standard output and standard error have been written: `process.exit` drops what a pipe has not taken yet.
 * That output is lost is reported by the stream's event `error`, before this resolves.
 *
 * @param signal makes it give up after five seconds
 */
export async function flushOutput(signal: AbortSignal): Promise<void> {
  const written = Promise.all([process.stdout, process.stderr].map(flush));
  const outOfPatience = new Promise((resolve) => {
    const wait = () => setTimeout(resolve, PATIENCE_MS).unref();
    if (signal.aborted) {
      wait();
    }
    signal.addEventListener('abort', wait);
  });
  await Promise.race([written, outOfPatience]);
}

function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => setImmediate(resolve));
  });
}
