import { EventEmitter, once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failure.ts';
import { SMALLEST_PART } from '../../s3/part/part-size.ts';
import { type DumpFolder, tableIn, type WrittenEntry } from './data-block.ts';

/**
 * What a message of pg_dump begins with: its name, a blank and, unless it is about the progress, a label. Each is
 * written separately from the message itself, which is written at once, so that those of several processes mix:
 * pg_log_generic_v() in src/common/logging.c.
 */
const BEGINNINGS = /^(?:pg_dump:| |(?:warning|error|detail|hint): )+/;

const LABEL = /(?:warning|error|detail|hint): /;

/** What pg_dump's workers print when they begin with rows; by then all definitions have been read. */
const DATA_BEGIN = 'dumping contents of table ';

/** mark_dump_job_done() in pg_backup_archiver.c. */
const FINISHED = /^finished item (\d+) (TABLE DATA|BLOBS) /;

/** It is written in one piece, and is none about the progress. */
const TERMINATED = 'pg_dump: terminated by user';

function messageIn(line: string): string {
  return line.replace(BEGINNINGS, '');
}

/** @returns a line about a problem, or what may continue one, with one beginning; undefined if about the progress */
export function problemIn(line: string): string | undefined {
  const [beginning = ''] = BEGINNINGS.exec(line) ?? [];
  const message = messageIn(line);
  if (beginning === '' || line === TERMINATED) {
    return line;
  }
  const [label] = LABEL.exec(beginning) ?? [];
  const isProgress = label === undefined || FINISHED.test(message) || message.startsWith(DATA_BEGIN);
  return isProgress ? undefined : `pg_dump: ${label}${message}`;
}

/** Bytes that a file has at least if it is read while it grows. */
const LARGE = 2 * SMALLEST_PART;

/** A table that is being written, and the bytes of its file so far. */
interface GrowingTable {
  readonly id: number;
  readonly bytes: number;
}

/**
 * @returns the ID of the table that is read while it grows, although the others then wait for it: one that is larger
 *   than all of them together; undefined if there is none
 */
export function mostOf(growing: readonly GrowingTable[]): number | undefined {
  const all = growing.reduce((sum, { bytes }) => sum + bytes, 0);
  return growing.find(({ bytes }) => bytes >= LARGE && bytes > all - bytes)?.id;
}

/** Interval between looks for a file that has become large, while there is nothing else to do. */
const LOOK_MS = 200;

/**
 * What pg_dump has written and is writing, by its messages. A name of a table can have line breaks, and with them a
 * message that pg_dump did not mean: what is read too early is then incomplete, and refused.
 */
export class WrittenEntries {
  readonly #folder: DumpFolder;
  readonly #events = new EventEmitter();
  /** Complete, and not in a batch yet. */
  #tables: WrittenEntry[] = [];
  readonly #largeObjects: WrittenEntry[] = [];
  /** Tables that are complete or being read, and whether they are complete. */
  readonly #isComplete = new Map<number, boolean>();
  #hasEnded = false;
  /** Settles when all definitions have been read, or pg_dump has ended. */
  readonly begun = once(this.#events, 'begun');

  constructor(folder: DumpFolder) {
    this.#folder = folder;
  }

  /** @param line that pg_dump printed */
  read(line: string): void {
    const message = messageIn(line);
    if (message.startsWith(DATA_BEGIN)) {
      this.#events.emit('begun');
    }
    const [, id, kind] = FINISHED.exec(message) ?? [];
    if (kind === 'TABLE DATA') {
      this.#complete(Number(id));
    } else if (kind === 'BLOBS') {
      this.#largeObjects.push({ id: Number(id), kind, isComplete: () => true });
    }
  }

  /** Called when pg_dump has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#events.emit('begun');
    this.#events.emit('change');
  }

  /**
   * The tables that are complete, as many at a time as there are; if there are none, one that is being written and is
   * larger than all others together, which wait for it. Large objects come at the end, as they are last in the table of
   * contents.
   */
  async *batches(): AsyncGenerator<readonly WrittenEntry[]> {
    while (!this.#hasEnded || this.#tables.length > 0) {
      const growing = this.#tables.length > 0 ? undefined : await this.#mostGrowing();
      if (this.#tables.length > 0) {
        const batch = this.#tables;
        this.#tables = [];
        yield batch;
      } else if (growing !== undefined) {
        yield [this.#begin(growing)];
      } else if (!this.#hasEnded) {
        // Its only error is that the time is over.
        await once(this.#events, 'change', { signal: AbortSignal.timeout(LOOK_MS) }).catch(() => undefined);
      }
    }
    for (const entry of this.#largeObjects) {
      yield [entry];
    }
  }

  #complete(id: number): void {
    // Of a table in a batch, nothing more is to be done, unless it was complete before: then a fault will be found.
    if (this.#isComplete.get(id) !== false) {
      this.#tables.push({ id, kind: 'TABLE DATA', isComplete: () => true });
      this.#events.emit('change');
    }
    this.#isComplete.set(id, true);
  }

  #begin(id: number): WrittenEntry {
    this.#isComplete.set(id, false);
    const isComplete = () => {
      const is = this.#isComplete.get(id) === true;
      if (!is && this.#hasEnded) {
        throw new Failure(
          'verificationFailed',
          `pg_dump ended without saying that entry ${id} is finished. The dump was not stored.`,
        );
      }
      return is;
    };
    return { id, kind: 'TABLE DATA', isComplete };
  }

  async #mostGrowing(): Promise<number | undefined> {
    const growing: GrowingTable[] = [];
    for (const file of await readdir(this.#folder.path)) {
      const id = tableIn(file, this.#folder);
      if (id !== undefined && !this.#isComplete.has(id)) {
        growing.push({ id, bytes: (await stat(join(this.#folder.path, file))).size });
      }
    }
    return mostOf(growing);
  }
}
