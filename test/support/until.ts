import { setTimeout } from 'node:timers/promises';

/** Short against what is waited for. Without a pause, looking takes the processor time that it needs. */
const POLL_MS = 20;

/** Looks again and again. @returns what it has found */
export async function untilFound<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await setTimeout(POLL_MS);
  }
}

/** Resolves when a condition holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await untilFound(async () => ((await holds()) ? true : undefined));
}
