import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

/** The text that COPY sends of a query, in pieces of any length. Connection and server errors pass through. */
export function copied(client: Client, query: string, options = ''): AsyncIterable<Buffer> {
  return client.query(copyTo(`COPY (${query}) TO STDOUT${options}`));
}
