import { type HashedCount, RowHash } from './row-hash.ts';

/** The large objects of a dump. */
export interface LargeObjects extends HashedCount {
  /** Of their contents. */
  readonly bytes: number;
}

const OPEN = /^SELECT pg_catalog\.lo_open\('(\d+)', \d+\);$/;
/** With two backslashes if `standard_conforming_strings` was off in the dumped database. */
const WRITE = /^SELECT pg_catalog\.lowrite\(0, '\\{1,2}x/;
const WRITE_END = "');";
const CLOSE = 'SELECT pg_catalog.lo_close(0);';

/** What the three have in common. */
export const LARGE_OBJECT_STATEMENT = Buffer.from('SELECT pg_catalog.lo');

/** @returns what the hash of a large object begins with: its number, as four bytes in big-endian order */
export function numberBytes(oid: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(oid);
  return bytes;
}

/** Counts and hashes large objects, from the statements by which pg_restore would write them. */
export class LargeObjectScript {
  readonly #hash = new RowHash();
  #bytes = 0;

  /** @returns whether it is one of these statements */
  add(statement: string): boolean {
    const [beginning] = WRITE.exec(statement) ?? [];
    if (beginning !== undefined) {
      return this.#addContents(statement.slice(beginning.length));
    }
    const [, oid] = OPEN.exec(statement) ?? [];
    if (oid !== undefined) {
      this.#hash.add(numberBytes(Number(oid)));
    } else if (statement === CLOSE) {
      this.#hash.finish();
    } else {
      return false;
    }
    return true;
  }

  #addContents(rest: string): boolean {
    const digits = rest.length - WRITE_END.length;
    // Ends at the first character that is no digit.
    const contents = Buffer.from(rest, 'hex');
    this.#hash.add(contents);
    this.#bytes += contents.length;
    return rest.endsWith(WRITE_END) && contents.length * 2 === digits;
  }

  end(): LargeObjects {
    return { ...this.#hash.take(), bytes: this.#bytes };
  }
}
