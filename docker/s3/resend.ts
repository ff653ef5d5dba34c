import type { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { isTransient } from '../aws.ts';
import type { Part } from './part/part.ts';

/** The first pause is 100 to 200 ms, at random; it doubles up to 20 s. */
const BACKOFF = { minTimeout: 100, factor: 2, maxTimeout: 20_000, randomize: true };

/**
 * Sends a part until it succeeds. Each attempt opens the bytes anew, which the SDK cannot do: it never retries a
 * request whose body is a stream.
 *
 * @param send sends the body, and gives up when `broken` aborts
 * @param attempts including the first
 * @throws {Error} the signal's reason, the error of the body, or that of the last attempt
 */
export async function resend<T>(
  part: Part,
  send: (body: Readable, broken: AbortSignal) => Promise<T>,
  attempts: number,
  signal: AbortSignal,
): Promise<T> {
  const attempt = async () => {
    const body = part.open();
    // The SDK does not notice that a body has failed: it would wait until the connection times out.
    const broken = new AbortController();
    body.once('error', (error) => {
      broken.abort(error);
    });
    try {
      return await send(body, broken.signal);
    } catch (error) {
      broken.signal.throwIfAborted();
      throw error;
    } finally {
      body.destroy();
    }
  };
  return new Promise((resolve, reject) => {
    const resolving = async () => {
      resolve(await attempt());
    };
    // The attempt resolves the promise itself: in p-retry an abort outranks a success, but what S3 has confirmed is
    // done.
    pRetry(resolving, {
      ...BACKOFF,
      retries: Math.max(attempts - 1, 0),
      shouldRetry: ({ error }) => isTransient(error),
      signal,
    }).catch(reject);
  });
}
