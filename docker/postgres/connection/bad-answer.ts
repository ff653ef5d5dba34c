import type { Connection } from 'pg';
import { MessageEnds } from './message-ends.ts';

/**
 * Most bytes to read from a server. The longest answers have a row of about seventy bytes for each table. In memory,
 * they take several times as much.
 */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_ROWS = 1_000_000;

/** A server sends what no PostgreSQL server sends. The message continues a sentence about the server. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** Where the reader of messages listens to the bytes of a connection. */
export interface ByteSource {
  on(event: 'data' | 'end', listener: (chunk: Buffer) => void): unknown;
}

/**
 * Ends the connection with a {@link BadAnswer} if the server sends too much, or messages that cannot be read, which
 * would otherwise end the program. Must be called before the connection is opened.
 */
export function guard(connection: Connection): void {
  const attach = connection.attachListeners.bind(connection);
  let bytes = 0;
  let rows = 0;
  let columns = 0;
  connection.on('rowDescription', ({ fields }: { readonly fields: readonly unknown[] }) => {
    columns = fields.length;
  });
  // Comes before pg's own listeners, so that they do not see such a row.
  connection.on('dataRow', ({ fields }: { readonly fields: readonly unknown[] }) => {
    rows += 1;
    if (fields.length !== columns) {
      throw new BadAnswer('it sends a row with other columns than it announced');
    }
    if (rows > MOST_ROWS) {
      throw new BadAnswer(`it answers with more than ${MOST_ROWS} rows`);
    }
  });
  guardLogin(connection);
  connection.attachListeners = () => {
    const { stream } = connection;
    const ends = new MessageEnds();
    const read = (listener: (chunk: Buffer) => void) => (chunk: Buffer) => {
      bytes += chunk.length;
      try {
        if (bytes > MOST_BYTES) {
          throw new BadAnswer(`it answers with more than ${MOST_BYTES} bytes`);
        }
        if (!ends.read(chunk)) {
          throw new BadAnswer('it sends an error or a notice without an end');
        }
        listener(chunk);
      } catch (error) {
        stream.destroy(
          error instanceof BadAnswer ? error : new BadAnswer('it sends messages that cannot be read', { cause: error }),
        );
      }
    };
    attach({ on: (event, listener) => stream.on(event, event === 'data' ? read(listener) : listener) });
  };
}

/** Refuses the later messages of a SASL login before its first one, or after its last one. */
function guardLogin(connection: Connection): void {
  let inLogin = false;
  const refuseOutside = () => {
    if (!inLogin) {
      throw new BadAnswer('it continues a login that it did not begin');
    }
  };
  connection.on('authenticationSASL', () => {
    inLogin = true;
  });
  connection.on('authenticationSASLContinue', refuseOutside);
  connection.on('authenticationSASLFinal', () => {
    refuseOutside();
    inLogin = false;
  });
}
