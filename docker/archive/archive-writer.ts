import {
  COMPRESSION_BYTE_SINCE,
  FORMATS,
  INT_BYTES,
  LOCATION_BYTES,
  MAGIC,
  RELATION_KIND_SINCE,
} from './archive-head.ts';
import { OFFSET_UNKNOWN } from './archive-structure.ts';

/** Writes what `ArchiveHead` and `ArchiveReader` read. */

/** What data can be of. */
export type DataKind = 'TABLE DATA' | 'BLOBS';

/** What the archive says how its data are compressed: the method since 1.15, a level before. */
export interface WrittenCompression {
  readonly method: number;
  readonly level: number;
}

/** SECTION_DATA in pg_backup.h. */
const DATA_SECTION = 3;

/** What {@link dataHead} has its rows read by. */
const COPY_STATEMENT = 'COPY data FROM stdin;\n';

/** @param value of 32 bits, signed or, as the number of a large object, unsigned */
export function int(value: number): Buffer {
  const signed = value | 0;
  const bytes = Buffer.alloc(INT_BYTES);
  bytes.writeUInt8(signed < 0 ? 1 : 0);
  bytes.writeUInt32LE(Math.abs(signed), 1);
  return bytes;
}

/** @param value undefined for an absent text */
function text(value?: string): Buffer {
  const bytes = Buffer.from(value ?? '');
  return Buffer.concat([int(value === undefined ? -1 : bytes.length), bytes]);
}

/** Where data are. @param state as of a `DataLocation` */
export function location(state: number, offset: number): Buffer {
  const bytes = Buffer.alloc(LOCATION_BYTES);
  bytes.writeUInt8(state);
  bytes.writeBigUInt64LE(BigInt(offset), 1);
  return bytes;
}

/** Minor version of the format that pg_restore of that major reads, and pg_dump writes. */
function minorOf(clientMajor: number): number {
  return clientMajor >= 17 ? 16 : clientMajor === 16 ? 15 : 14;
}

/** A head of an archive that has only data, of no particular table. */
export function dataHead(
  clientMajor: number,
  { method, level }: WrittenCompression,
  entries: readonly { readonly id: number; readonly kind: DataKind }[],
): Buffer {
  const minor = minorOf(clientMajor);
  const header = [
    Buffer.from(MAGIC),
    Buffer.from([1, minor, 0, INT_BYTES - 1, LOCATION_BYTES - 1, FORMATS.custom]),
    minor >= COMPRESSION_BYTE_SINCE ? Buffer.from([method]) : int(level),
    // 1 January 1970.
    ...[0, 0, 0, 1, 0, 70, 0].map(int),
    // Database, server version, pg_dump version.
    ...['', '', ''].map(text),
    int(entries.length),
  ];
  return Buffer.concat([...header, ...entries.flatMap((entry) => dataEntry(minor, entry))]);
}

/** In the order in which `ArchiveHead` reads. */
function dataEntry(minor: number, { id, kind }: { readonly id: number; readonly kind: DataKind }): readonly Buffer[] {
  return [
    ...[int(id), int(1)],
    ...['0', '0', 'data', kind].map(text),
    int(DATA_SECTION),
    ...['', '', kind === 'TABLE DATA' ? COPY_STATEMENT : ''].map(text),
    // Schema, tablespace, table access method.
    ...[text(), text(), text()],
    ...(minor >= RELATION_KIND_SINCE ? [int(0)] : []),
    ...[text(''), text('false')],
    // No dependencies.
    text(),
    location(OFFSET_UNKNOWN, 0),
  ];
}
