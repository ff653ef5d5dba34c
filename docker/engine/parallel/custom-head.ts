import { createReadStream } from 'node:fs';
import {
  type ArchiveEntry,
  ArchiveHead,
  damaged,
  FORMAT_AT,
  FORMATS,
  LOCATION_BYTES,
} from '../../archive/archive-head.ts';
import { NO_DATA, OFFSET_SET } from '../../archive/archive-structure.ts';
import { location } from '../../archive/archive-writer.ts';
import { ByteCursor } from '../../archive/byte-cursor.ts';

/** An entry with data, and its bytes in the table of contents without the location. */
export interface DataEntry extends Pick<ArchiveEntry, 'id' | 'kind' | 'oid' | 'schema' | 'name'> {
  readonly file: string;
  readonly bytes: Buffer;
}

/** What `toc.dat` of the directory format says. */
export interface DirectoryToc {
  /** Length of the head in the custom format. */
  readonly headBytes: number;
  readonly data: readonly DataEntry[];
}

/** The header, or an entry, without its location. */
interface Item {
  readonly bytes: Buffer;
  readonly entry?: ArchiveEntry;
}

/** @throws {Failure} `verificationFailed` if the file is damaged */
async function* itemsOf(path: string): AsyncGenerator<Item> {
  const cursor = new ByteCursor();
  const ready: Item[] = [];
  const walk = collect(cursor, ready);
  let ended = walk.next().done;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    cursor.put(chunk);
    ended = walk.next().done;
    yield* ready.splice(0);
  }
  if (ended !== true || !cursor.isEmpty) {
    throw damaged('its table of contents is truncated, or something follows it', cursor.position);
  }
}

function* collect(cursor: ByteCursor, ready: Item[]): Generator<void, void> {
  let pieces: Buffer[] = [];
  const take = () => Buffer.concat(pieces.splice(0));
  const head = new ArchiveHead(cursor, (piece) => pieces.push(piece), 'directory');
  const count = yield* head.header();
  const header = take();
  header.writeUInt8(FORMATS.custom, FORMAT_AT);
  ready.push({ bytes: header });
  pieces = [];
  for (let left = count; left > 0; left -= 1) {
    const entry = yield* head.entry(() => false);
    ready.push({ bytes: take(), entry });
  }
}

/** @throws {Failure} `verificationFailed` if the file is damaged */
export async function readToc(path: string): Promise<DirectoryToc> {
  const data: DataEntry[] = [];
  let headBytes = 0;
  for await (const { bytes, entry } of itemsOf(path)) {
    headBytes += bytes.length + (entry === undefined ? 0 : LOCATION_BYTES);
    if (entry === undefined) {
      continue;
    }
    const { id, kind, oid, schema, name } = entry;
    const file = entry.location.toString('latin1');
    if (entry.hasData !== (file !== '')) {
      throw damaged(`entry ${id} of its table of contents is inconsistent`, headBytes);
    }
    if (entry.hasData) {
      data.push({ id, kind, oid, schema, name, file, bytes });
    }
  }
  return { headBytes, data };
}

/**
 * The head of the custom format. Entries with data are in the order of their data, each in the place of one of its
 * kind, so that an archive can be restored from a stream, too. They are in the same section, and nothing in it depends
 * on that order.
 *
 * @param path of `toc.dat`
 * @param located the entries with data, in the order of these, and their offsets
 */
export async function* customHead(
  path: string,
  located: readonly { readonly entry: DataEntry; readonly offset: number }[],
): AsyncGenerator<Buffer> {
  const kinds = new Set(located.map(({ entry }) => entry.kind));
  const next = new Map([...kinds].map((kind) => [kind, located.filter(({ entry }) => entry.kind === kind).values()]));
  for await (const { bytes, entry } of itemsOf(path)) {
    if (entry === undefined) {
      yield bytes;
    } else if (entry.hasData) {
      const found = next.get(entry.kind)?.next();
      if (found === undefined || found.done === true) {
        throw new Error(`Nothing is in the place of entry ${entry.id}.`);
      }
      yield found.value.entry.bytes;
      yield location(OFFSET_SET, found.value.offset);
    } else {
      yield bytes;
      yield location(NO_DATA, 0);
    }
  }
}
