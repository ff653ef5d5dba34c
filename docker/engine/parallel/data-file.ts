import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { log } from '../../log.ts';

/** Bytes of the ranges that a file is read in. */
export const RANGE_BYTES = 1024 * 1024;

/** Fewest bytes that are freed at a time, because each time takes a process. */
export const FREED_BYTES = 16 * 1024 * 1024;

/** Bytes `from` to `to`, the latter excluded. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** A span of a file. */
export interface FileRange extends Span {
  readonly file: DataFile;
}

/** Interval between looks at a file that has not grown. */
const PAUSE_MS = 20;

let isFailureReported = false;

/** A file that pg_dump has written or is writing. Its bytes are freed when nobody needs them any more. */
export class DataFile {
  readonly path: string;
  /** Bytes that are read of it; undefined until it is complete. */
  #needed: number | undefined;
  #read = 0;
  #released = 0;
  /** Released, but not yet freed. */
  #waiting: Span[] = [];
  /** Settles when what was to be freed before is freed. */
  #freed: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The ranges to read the file in, up to its end, waiting for it to grow until it is complete.
   *
   * @param from bytes at its start that are not needed
   * @param kept bytes at its end that are not needed
   * @param isComplete called before each look at the file's size
   */
  async *ranges(from: number, kept: number, isComplete: () => boolean): AsyncGenerator<FileRange> {
    for (let at = from; ;) {
      // Asked first, so that the size is the final one.
      const isFinal = isComplete();
      const end = (await stat(this.path)).size - kept;
      while (end - at >= RANGE_BYTES || (isFinal && end > at)) {
        const to = Math.min(at + RANGE_BYTES, end);
        this.#read += to - at;
        yield { file: this, from: at, to };
        at = to;
      }
      if (isFinal) {
        return;
      }
      await setTimeout(PAUSE_MS);
    }
  }

  /** Called when nothing more will be read of it than the ranges so far, which have yet to be released. */
  async complete(): Promise<void> {
    this.#needed = this.#read;
    await this.#removeUnlessNeeded();
  }

  /** Called when a range is not needed any more. */
  async release(from: number, to: number): Promise<void> {
    this.#released += to - from;
    this.#waiting.push({ from, to });
    if (this.#released !== this.#needed && bytesIn(this.#waiting) >= FREED_BYTES) {
      const spans = merged(this.#waiting);
      this.#waiting = [];
      this.#freed = this.#freed.then(() => freeSpans(this.path, spans));
      await this.#freed;
    } else {
      await this.#removeUnlessNeeded();
    }
  }

  async #removeUnlessNeeded(): Promise<void> {
    if (this.#released === this.#needed) {
      await this.#freed;
      await rm(this.path);
    }
  }
}

function bytesIn(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** @returns the same bytes in as few spans as possible */
function merged(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const last = found.at(-1);
    if (last?.to === span.from) {
      found.splice(-1, 1, { from: last.from, to: span.to });
    } else {
      found.push(span);
    }
  }
  return found;
}

async function freeSpans(path: string, spans: readonly Span[]): Promise<void> {
  for (const span of spans) {
    await freeSpan(path, span);
  }
}

/**
 * Frees the disk space of a span of a file, whose length remains: fallocate(2) with FALLOC_FL_PUNCH_HOLE, which
 * Node.js lacks, by the program of util-linux. Where that is impossible, the file occupies its space until it is
 * deleted.
 */
async function freeSpan(path: string, { from, to }: Span): Promise<void> {
  const args = ['--punch-hole', `--offset=${from}`, `--length=${to - from}`, path];
  try {
    await promisify(execFile)('fallocate', args, { env: { PATH: process.env.PATH, LC_ALL: 'C' } });
  } catch (error) {
    if (!isFailureReported) {
      const [reason] = String(error instanceof Error ? error.message : error)
        .trim()
        .split('\n')
        .slice(-1);
      log(`Disk space could not be freed before a file has been sent completely: ${reason}.`);
      isFailureReported = true;
    }
  }
}
