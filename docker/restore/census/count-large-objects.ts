import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Client } from 'pg';
import { z } from 'zod';
import { numberBytes } from '../../census/large-object-script.ts';
import { RowHash } from '../../census/row-hash.ts';
import { bigint, queryRow } from '../../postgres/connection/query.ts';
import { copied, type Counted, type Verification } from './count-rows.ts';

const PIECE_BYTES = 256 * 1024;

/**
 * Number and content of each large object, in pieces that follow one another: whole ones may not fit into memory, and
 * their sizes are not known. In hexadecimal, whatever `bytea_output` is.
 */
const PIECES = `
  SELECT oid, encode(lo_get(oid, at, ${PIECE_BYTES}), 'hex')
  FROM pg_largeobject_metadata, LATERAL (
    WITH RECURSIVE piece (at) AS (
      SELECT 0::bigint
      UNION ALL
      SELECT at + ${PIECE_BYTES} FROM piece WHERE lo_get(oid, at + ${PIECE_BYTES}, 1) <> ''
    )
    SELECT at FROM piece
  ) AS pieces`;

/** The large objects of a database. Connection and server errors pass through. */
export async function countLargeObjects(client: Client, verification: Verification): Promise<Counted> {
  if (verification === 'rows') {
    return queryRow(client, 'SELECT count(*) FROM pg_largeobject_metadata', z.object({ count: bigint }));
  }
  const hash = new RowHash();
  let current: string | undefined;
  for await (const line of createInterface({ input: Readable.from(copied(client, PIECES)), crlfDelay: Infinity })) {
    const [oid = '', hex = ''] = line.split('\t');
    if (oid !== current) {
      if (current !== undefined) {
        hash.finish();
      }
      hash.add(numberBytes(Number(oid)));
      current = oid;
    }
    hash.add(Buffer.from(hex, 'hex'));
  }
  if (current !== undefined) {
    hash.finish();
  }
  return hash.take();
}
