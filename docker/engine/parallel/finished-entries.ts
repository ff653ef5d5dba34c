import { EventEmitter, once } from 'node:events';
import type { FinishedEntry } from './data-block.ts';

/** What pg_dump's workers print when they begin with rows; by then all definitions have been read. */
const DATA_BEGIN = 'pg_dump: dumping contents of table ';

/** mark_dump_job_done() in pg_backup_archiver.c. */
const FINISHED = /^pg_dump: finished item (\d+) (TABLE DATA|BLOBS) /;

/** Lines about the progress, as opposed to those about a problem. Other lines continue the one before. */
const PROGRESS = /^pg_dump: (?!warning: |error: |detail: |hint: |terminated by user$)/;

export function isProgress(line: string): boolean {
  return PROGRESS.test(line);
}

/**
 * What pg_dump has written completely, by its messages. A name of a table can have line breaks, and with them a message
 * that pg_dump did not mean: what is read too early is then incomplete, and refused.
 */
export class FinishedEntries {
  readonly #events = new EventEmitter();
  #tables: FinishedEntry[] = [];
  readonly #largeObjects: FinishedEntry[] = [];
  #hasEnded = false;
  /** Settles when all definitions have been read, or pg_dump has ended. */
  readonly begun = once(this.#events, 'begun');

  /** @param line that pg_dump printed */
  read(line: string): void {
    if (line.startsWith(DATA_BEGIN)) {
      this.#events.emit('begun');
    }
    const [, id, kind] = FINISHED.exec(line) ?? [];
    if (kind === 'TABLE DATA') {
      this.#tables.push({ id: Number(id), kind });
      this.#events.emit('change');
    } else if (kind === 'BLOBS') {
      this.#largeObjects.push({ id: Number(id), kind });
    }
  }

  /** Called when pg_dump has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#events.emit('begun');
    this.#events.emit('change');
  }

  /**
   * The entries as they are finished, as many at a time as have been; those of large objects at the end, as they are
   * last in the table of contents.
   */
  async *batches(): AsyncGenerator<readonly FinishedEntry[]> {
    while (!this.#hasEnded || this.#tables.length > 0) {
      if (this.#tables.length === 0) {
        await once(this.#events, 'change');
      }
      const batch = this.#tables;
      this.#tables = [];
      if (batch.length > 0) {
        yield batch;
      }
    }
    for (const entry of this.#largeObjects) {
      yield [entry];
    }
  }
}
