import { createReadStream } from 'node:fs';
import { ArchiveHead, LOCATION_BYTES } from '../archive/archive-head.ts';
import { NO_DATA, OFFSET_SET } from '../archive/archive-structure.ts';
import { ByteCursor } from '../archive/byte-cursor.ts';

/** The data of an entry, as the table of contents describes them. */
export interface IndexedData {
  /** What reads them, if they are rows: `COPY t (a) FROM stdin;`, in the encoding of the dump. */
  readonly copyStatement: Buffer;
  /** Byte of the head at which it says so. */
  readonly locationAt: number;
  /** Undefined in an archive that was streamed. */
  readonly offset: number | undefined;
}

/** The entries of an archive by their IDs, without those of single large objects. */
export interface ArchiveIndex {
  /** IDs of the entries that they need. */
  readonly dependencies: ReadonlyMap<number, readonly number[]>;
  /** What creates them: bytes in the encoding of the dump, as characters of Latin-1. */
  readonly definitions: ReadonlyMap<number, string>;
  readonly data: ReadonlyMap<number, IndexedData>;
}

/** There may be millions. */
const OF_LARGE_OBJECTS: ReadonlySet<string> = new Set(['BLOB', 'BLOB METADATA']);

/** @param path of the head of an archive, which has been read before */
export async function indexArchive(path: string): Promise<ArchiveIndex> {
  const cursor = new ByteCursor();
  const index = { dependencies: new Map(), definitions: new Map(), data: new Map() };
  const walk = entriesIn(cursor, index);
  walk.next();
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    cursor.put(chunk);
    walk.next();
  }
  return index;
}

interface NewIndex {
  readonly dependencies: Map<number, readonly number[]>;
  readonly definitions: Map<number, string>;
  readonly data: Map<number, IndexedData>;
}

function* entriesIn(cursor: ByteCursor, { dependencies, definitions, data }: NewIndex): Generator<void, void> {
  const head = new ArchiveHead(cursor);
  for (let left = yield* head.header(); left > 0; left -= 1) {
    const entry = yield* head.entry(({ kind }) => !OF_LARGE_OBJECTS.has(kind));
    if (OF_LARGE_OBJECTS.has(entry.kind)) {
      continue;
    }
    dependencies.set(entry.id, entry.dependencies);
    definitions.set(entry.id, entry.definition.toString('latin1'));
    const state = entry.location.readUInt8();
    if (state !== NO_DATA) {
      const offset = state === OFFSET_SET ? Number(entry.location.readBigUInt64LE(1)) : undefined;
      data.set(entry.id, { copyStatement: entry.copyStatement, locationAt: cursor.position - LOCATION_BYTES, offset });
    }
  }
}
