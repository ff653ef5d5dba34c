import { Failure } from '../../failure.ts';
import { CLIENT_OUT_OF_MEMORY } from '../../postgres/client-memory.ts';
import { type ChildExit, wasStopped } from '../../process/child.ts';

/** Whether pg_restore was stopped from outside or ran out of memory, so that its end says nothing about the archive. */
export function wasCutShort(exit: ChildExit): boolean {
  return wasStopped(exit) || CLIENT_OUT_OF_MEMORY.test(exit.lastLines.join('\n'));
}

/**
 * Why pg_restore did not read again what it has read before.
 *
 * @param what for the reader: `the grants of the dump`
 * @returns `tryAgain` if it was cut short, and otherwise `internal`
 */
export function rereadFailure(exit: ChildExit, what: string): Failure {
  const { status, signal, lastLines } = exit;
  const how = signal === null ? `exited with status ${status}` : `was ended by ${signal}`;
  return new Failure(
    wasCutShort(exit) ? 'tryAgain' : 'internal',
    `pg_restore ${how} while it read ${what} again. ` +
      (lastLines.length === 0 ? 'It printed no message.' : `Its last message: ${lastLines.at(-1)}`),
  );
}
