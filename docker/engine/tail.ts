import { open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const READ_BYTES = 1024 * 1024;

/** Interval between reads at the end of a file that has not grown. */
const PAUSE_MS = 20;

/**
 * Yields the bytes of a file while another process writes it, up to its end after that process has exited. Each chunk
 * is valid only until the next one is requested.
 *
 * @param writerExit settles when the file no longer grows
 */
export async function* follow(file: string, writerExit: Promise<unknown>): AsyncGenerator<Buffer> {
  const writer = { hasExited: false };
  writerExit.finally(() => (writer.hasExited = true)).catch(() => undefined);
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const handle = await open(file);
  try {
    for (let position = 0; ;) {
      // Tested before the read, so that the read sees everything that was written before the exit.
      const { hasExited } = writer;
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, position);
      position += bytesRead;
      if (bytesRead > 0) {
        yield buffer.subarray(0, bytesRead);
      } else if (hasExited) {
        return;
      } else {
        await setTimeout(PAUSE_MS);
      }
    }
  } finally {
    await handle.close();
  }
}
