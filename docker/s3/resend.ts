import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { awsFailure, isTaken } from '../aws.ts';
import { Failure } from '../failure.ts';
import type { Part } from './part.ts';

/** Pauses double from the first to the longest. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 20_000;

/**
 * Sends a part as often as it takes. The SDK itself tries nothing again whose body is a stream, as it can't know how to
 * open it again.
 *
 * @param send sends the body, and gives up when the signal says that the body broke
 * @throws S3's refusal because the key is taken, as it came; else {Failure} `tryAgain` or `refused`, the signal's reason,
 * or the error of the body
 */
export async function resend<T>(
  part: Part,
  send: (body: Readable, broken: AbortSignal) => Promise<T>,
  { attempts, doing, signal }: { readonly attempts: number; readonly doing: string; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const body = part.open();
    // The SDK does not watch a body: one that fails would be waited for until the connection times out.
    const broken = new AbortController();
    body.once('error', (error) => {
      broken.abort(error);
    });
    try {
      return await send(body, broken.signal);
    } catch (error) {
      signal.throwIfAborted();
      broken.signal.throwIfAborted();
      const failure = awsFailure(doing, error);
      if (attempt >= attempts || !(failure instanceof Failure) || failure.reason !== 'tryAgain') {
        throw isTaken(error) ? error : failure;
      }
    } finally {
      body.destroy();
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
    await setTimeout(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}
