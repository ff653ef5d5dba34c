import { open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const READ_BYTES = 1024 * 1024;

/** Between two looks at a file that has not grown. */
const PAUSE_MS = 20;

/**
 * Yields the bytes of a file while another process writes it, up to the end that it has when that process is gone. Each
 * chunk is valid until the next one is asked for.
 *
 * @param over settles when nothing is written any more
 */
export async function* follow(file: string, over: Promise<unknown>): AsyncGenerator<Buffer> {
  const state = { isOver: false };
  over.finally(() => (state.isOver = true)).catch(() => undefined);
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const handle = await open(file);
  try {
    for (let position = 0; ;) {
      // Looked at before the read, so that the read sees all that was written before the end.
      const { isOver } = state;
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, position);
      position += bytesRead;
      if (bytesRead > 0) {
        yield buffer.subarray(0, bytesRead);
      } else if (isOver) {
        return;
      } else {
        await setTimeout(PAUSE_MS);
      }
    }
  } finally {
    await handle.close();
  }
}
