import { pipeline, Readable, Transform } from 'node:stream';
import type { DeserializeMiddleware } from '@smithy/types';

/** A response is longer than any of AWS. */
export class LongResponse extends Error {
  override readonly name = 'LongResponse';
}

/**
 * Breaks off a response that is longer than any of AWS: the SDK keeps the whole of it, and it would take all of the
 * memory. The reader of its body gets a {@link LongResponse}.
 *
 * @param most in bytes
 */
export function limitResponse<Input extends object, Output extends object>(
  most: number,
): DeserializeMiddleware<Input, Output> {
  return (next) => async (args) => {
    const result = await next(args);
    const { response } = result;
    if (typeof response === 'object' && response !== null && 'body' in response && response.body instanceof Readable) {
      response.body = pipeline(response.body, limited(most), () => undefined);
    }
    return result;
  };
}

function limited(most: number): Transform {
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > most) {
        done(new LongResponse(`The response is longer than ${most} bytes, and so not one that was asked for.`));
      } else {
        done(null, chunk);
      }
    },
  });
}
