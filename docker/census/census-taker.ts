import type { ArchiveEntry } from '../archive/archive-head.ts';
import type { ArchiveStructure, DataBlock } from '../archive/archive-structure.ts';
import { Failure } from '../failure.ts';
import { LARGE_OBJECT_STATEMENT, type LargeObjects, LargeObjectScript } from './large-object-script.ts';
import { type HashedCount, RowHash } from './row-hash.ts';

/** The rows of a table in a dump, and where they are in it. */
export interface TableCensus extends HashedCount, DataBlock {
  /** OID of the table in the dumped database. */
  readonly oid: number;
  /** As in the archive, which is in the encoding of the database, read as UTF-8. */
  readonly schema: string;
  readonly name: string;
}

/** What a dump holds. */
export interface Census {
  readonly tables: readonly TableCensus[];
  readonly largeObjects: LargeObjects;
}

/** Its texts are bytes as characters of Latin-1: kept buffers would keep those beside them, too. */
interface ExpectedTable extends Pick<ArchiveEntry, 'id' | 'oid'> {
  readonly schemaBytes: string;
  readonly nameBytes: string;
  readonly copyStatement: string;
}

const COPY = Buffer.from('COPY ');
const LINE_FEED = 10;

/**
 * Takes the census of a dump from the script that pg_restore makes of it. So that nothing in the dump can be mistaken
 * for rows, the script has only the archive's data ({@link entries}), without definitions and comments, and the rows
 * are taken from exactly the COPY statements that the table of contents has, in its order.
 */
export class CensusTaker {
  readonly #ids: number[] = [];
  readonly #expected: ExpectedTable[] = [];
  readonly #counted: HashedCount[] = [];
  readonly #rows = new RowHash();
  readonly #largeObjects = new LargeObjectScript();
  /** The start of a line, or of a COPY statement. */
  #pending: Buffer = Buffer.alloc(0);
  #isInRows = false;
  #problem: string | undefined;

  /** Where to read the script to, to save a copy of it. */
  get buffer(): Buffer {
    return this.#rows.input;
  }

  /** Called with each entry of the table of contents that has data, in its order. */
  expect({ id, kind, oid, schema, name, copyStatement }: ArchiveEntry): void {
    this.#ids.push(id);
    if (kind === 'TABLE DATA') {
      this.#expected.push({
        id,
        oid,
        schemaBytes: schema.toString('latin1'),
        nameBytes: name.toString('latin1'),
        copyStatement: copyStatement.toString('latin1'),
      });
    }
  }

  /** What the script must contain, for the option `--use-list` of pg_restore. */
  get entries(): string {
    return this.#ids.map((id) => `${id};\n`).join('');
  }

  /**
   * Reads a piece of the script, and keeps nothing of it. A problem is reported at the end, where pg_restore may have
   * reported its cause.
   */
  read(chunk: Buffer): void {
    for (let rest: Buffer | undefined = chunk; rest !== undefined && this.#problem === undefined;) {
      rest = this.#isInRows ? this.#readRows(rest) : this.#readStatements(rest);
    }
  }

  /**
   * Called after the script, if pg_restore succeeded.
   *
   * @throws {Failure} `verificationFailed` if the script does not have exactly what the archive has
   */
  end({ blocks, largeObjects: expectedLargeObjects }: ArchiveStructure): Census {
    const largeObjects = this.#largeObjects.end();
    const problem =
      this.#problem ??
      (this.#isInRows || this.#counted.length !== this.#expected.length
        ? `it had the rows of ${this.#counted.length} of ${this.#expected.length} tables`
        : largeObjects.count !== expectedLargeObjects
          ? `it had ${largeObjects.count} of ${expectedLargeObjects} large objects`
          : undefined);
    if (problem !== undefined) {
      throw new Failure(
        'verificationFailed',
        `The rows of the dump could not be counted in what pg_restore made of it: ${problem}. It was not stored.`,
      );
    }
    const tables = this.#expected.map(({ id, oid, schemaBytes, nameBytes }, index) => {
      const counted = this.#counted[index];
      const block = blocks.get(id);
      if (counted === undefined || block === undefined) {
        throw new Error(`The rows of the entry ${id} were counted, and yet the archive has no data of it.`);
      }
      return { oid, schema: decoded(schemaBytes), name: decoded(nameBytes), ...counted, ...block };
    });
    return { tables, largeObjects };
  }

  /** @returns what follows the rows, if they end */
  #readRows(chunk: Buffer): Buffer | undefined {
    const rest = this.#rows.addRows(chunk);
    if (rest !== undefined) {
      this.#counted.push(this.#rows.take());
      this.#isInRows = false;
    }
    return rest;
  }

  /** @returns what follows a COPY statement, if there is one */
  #readStatements(chunk: Buffer): Buffer | undefined {
    const text = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (let at = 0; ;) {
      const lineFeed = text.indexOf(LINE_FEED, at);
      const statement = this.#expected[this.#counted.length]?.copyStatement;
      const isCopy = text.subarray(at, at + COPY.length).equals(COPY);
      if (lineFeed === -1 || (isCopy && text.length - at < (statement?.length ?? 0))) {
        this.#pending = Buffer.from(text.subarray(at));
        return undefined;
      }
      if (isCopy) {
        return this.#beginRows(text.subarray(at), statement);
      }
      this.#readLine(text.subarray(at, lineFeed));
      at = lineFeed + 1;
    }
  }

  #beginRows(text: Buffer, statement: string | undefined): Buffer {
    this.#pending = Buffer.alloc(0);
    this.#isInRows = true;
    if (statement === undefined || text.toString('latin1', 0, statement.length) !== statement) {
      this.#problem = `after ${this.#counted.length} of ${this.#expected.length} tables, there was an unexpected COPY`;
    }
    return text.subarray(statement?.length);
  }

  #readLine(line: Buffer): void {
    const isOfLargeObject = line.subarray(0, LARGE_OBJECT_STATEMENT.length).equals(LARGE_OBJECT_STATEMENT);
    if (isOfLargeObject && !this.#largeObjects.add(line.toString('latin1'))) {
      this.#problem = 'a statement about a large object was not as expected';
    }
  }
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
