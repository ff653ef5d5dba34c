import { EventEmitter, once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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

/** Bytes of the smallest file that is read while it grows. */
const LARGE = 2 * SMALLEST_PART;

/** Interval between looks for files that have become large. */
const LOOK_MS = 200;

/**
 * What pg_dump has written and is writing, by its messages. A name of a table can have line breaks, and with them a
 * message that pg_dump did not mean: what is read too early is then incomplete, and refused.
 */
export class WrittenEntries {
  readonly #folder: DumpFolder;
  readonly #events = new EventEmitter();
  /** Complete, and not in a batch yet. */
  readonly #tables: WrittenEntry[] = [];
  readonly #largeObjects: WrittenEntry[] = [];
  /** Tables that are complete or were found growing, and whether they are complete. */
  readonly #isComplete = new Map<number, boolean>();
  readonly #ended = new AbortController();
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
    this.#ended.abort();
    this.#events.emit('begun');
    this.#events.emit('change');
  }

  /** Aborted when pg_dump has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Large objects. They come last in the table of contents, so they are known only when pg_dump has ended. */
  get largeObjects(): readonly WrittenEntry[] {
    return this.#largeObjects;
  }

  /** The tables that are complete, as many at a time as there are, without those that were found growing. */
  async *batches(): AsyncGenerator<readonly WrittenEntry[]> {
    while (!this.ended.aborted || this.#tables.length > 0) {
      if (this.#tables.length === 0) {
        await once(this.#events, 'change');
      } else {
        yield this.#tables.splice(0);
      }
    }
  }

  /**
   * Tables that have become large before they are complete, the largest first.
   *
   * @param isWanted asked at intervals, whether one more is to be read
   */
  async *growing(isWanted: () => boolean): AsyncGenerator<WrittenEntry> {
    while (!this.ended.aborted) {
      const largest = isWanted() ? await this.#largest() : undefined;
      // It may be complete by now.
      if (largest !== undefined && !this.#isComplete.has(largest)) {
        yield this.#begin(largest);
      }
      // Rejects only when pg_dump has ended.
      await setTimeout(LOOK_MS, undefined, { signal: this.ended }).catch(() => undefined);
    }
  }

  #complete(id: number): void {
    // A table that was found growing is being read, unless it was complete before: then a fault will be found.
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
      if (!is && this.ended.aborted) {
        throw new Failure(
          'verificationFailed',
          `pg_dump ended without saying that entry ${id} is finished. The dump was not stored.`,
        );
      }
      return is;
    };
    return { id, kind: 'TABLE DATA', isComplete };
  }

  /** @returns the ID of the largest table that is being written and not read, if it is large */
  async #largest(): Promise<number | undefined> {
    let largest: { readonly id: number; readonly bytes: number } | undefined;
    for (const file of await readdir(this.#folder.path)) {
      const id = tableIn(file, this.#folder);
      if (id !== undefined && !this.#isComplete.has(id)) {
        const { size: bytes } = await stat(join(this.#folder.path, file));
        largest = bytes >= Math.max(LARGE, largest?.bytes ?? 0) ? { id, bytes } : largest;
      }
    }
    return largest?.id;
  }
}
