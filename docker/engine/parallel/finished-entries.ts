import { EventEmitter, once } from 'node:events';
import type { FinishedEntry } from './data-block.ts';

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
    const message = messageIn(line);
    if (message.startsWith(DATA_BEGIN)) {
      this.#events.emit('begun');
    }
    const [, id, kind] = FINISHED.exec(message) ?? [];
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
