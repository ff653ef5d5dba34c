import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Client } from 'pg';
import { z } from 'zod';
import { numberBytes } from '../../census/large-object-script.ts';
import { RowHash } from '../../census/row-hash.ts';
import { bigint, queryRow } from '../../postgres/connection/query.ts';
import { copied } from './copied.ts';
import type { Counted, Verification } from './count-rows.ts';

/** Bytes of a large object to read at a time, and number of large objects. */
const PIECE_BYTES = 256 * 1024;
const BATCH = 100;

/** The large objects of a database. Connection and server errors pass through. */
export async function countLargeObjects(client: Client, verification: Verification): Promise<Counted> {
  if (verification === 'rows') {
    return queryRow(client, 'SELECT count(*) FROM pg_largeobject_metadata', z.object({ count: bigint }));
  }
  const hash = new RowHash();
  for (let after = 0, isLast = false; !isLast;) {
    const beginnings = await beginningsOf(client, after);
    for (const { oid, piece } of beginnings) {
      hash.add(numberBytes(oid));
      await addAll(client, oid, piece, hash);
      hash.finish();
      after = oid;
    }
    isLast = beginnings.length < BATCH;
  }
  return hash.take();
}

interface Beginning {
  readonly oid: number;
  readonly piece: Buffer;
}

/** The first pieces of the large objects with the next numbers. */
async function beginningsOf(client: Client, after: number): Promise<readonly Beginning[]> {
  const query = `SELECT oid, ${piece('oid', 0)} FROM pg_largeobject_metadata WHERE oid > ${after} ORDER BY oid LIMIT ${BATCH}`;
  const found: Beginning[] = [];
  for await (const line of createInterface({ input: Readable.from(copied(client, query)), crlfDelay: Infinity })) {
    const [oid = '', hex = ''] = line.split('\t');
    found.push({ oid: Number(oid), piece: Buffer.from(hex, 'hex') });
  }
  return found;
}

async function addAll(client: Client, oid: number, beginning: Buffer, hash: RowHash): Promise<void> {
  let last = beginning;
  hash.add(last);
  for (let from = PIECE_BYTES; last.length === PIECE_BYTES; from += PIECE_BYTES) {
    const text: Buffer[] = [];
    for await (const part of copied(client, `SELECT ${piece(String(oid), from)}`)) {
      text.push(part);
    }
    last = Buffer.from(Buffer.concat(text).toString('latin1').trimEnd(), 'hex');
    hash.add(last);
  }
}

/** In hexadecimal, whatever `bytea_output` is. */
function piece(oid: string, from: number): string {
  return `encode(lo_get(${oid}, ${from}, ${PIECE_BYTES}), 'hex')`;
}
