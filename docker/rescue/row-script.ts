import type { RowHash } from '../census/row-hash.ts';

/** Reads the rows in a script of pg_restore, which has the data of some entries and nothing else. */
export class RowScript {
  readonly #pieces: AsyncIterator<Buffer>;
  /** Of the last piece. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(script: AsyncIterable<Buffer>) {
    this.#pieces = script[Symbol.asyncIterator]();
  }

  /**
   * The rows after a COPY statement, with the line `\.` that ends them.
   *
   * @param statement in the words of pg_dump, and in the encoding of the dump
   * @param hash counts the rows
   * @throws {ScriptEnded} if the script ends before they do
   */
  async *rowsAfter(statement: Buffer, hash: RowHash): AsyncGenerator<Buffer, void, undefined> {
    const start = Buffer.concat([Buffer.from('\n'), statement]);
    let text = this.#rest;
    for (let at = text.indexOf(start); ; at = text.indexOf(start)) {
      if (at !== -1) {
        text = text.subarray(at + start.length);
        break;
      }
      text = Buffer.concat([text, await this.#next()]);
    }
    for (;;) {
      const rest = hash.addRows(text);
      yield text.subarray(0, text.length - (rest?.length ?? 0));
      if (rest !== undefined) {
        this.#rest = rest;
        return;
      }
      text = await this.#next();
    }
  }

  async #next(): Promise<Buffer> {
    const next = await this.#pieces.next();
    if (next.done === true) {
      throw new ScriptEnded();
    }
    return next.value;
  }
}

/** pg_restore has ended early. How it did says why. */
export class ScriptEnded extends Error {}
