/** pg_restore says this of each statement that the server refused, and goes on. */
const ERROR = 'pg_restore: error: ';

/** The last line, which counts what was refused. */
export const SUMMARY = /^pg_restore: warning: errors ignored on restore: (\d+)$/;

/** How pg_restore 17 and newer begin each connection. Servers before 17 do not know the setting, nor need it. */
const HARMLESS = 'Command was: SET transaction_timeout = 0;';

/**
 * Takes what pg_restore says on its standard error apart into errors, each of them several lines: the server's words,
 * detail and hint, and the statement.
 */
export class RestoreErrors {
  readonly #tell: (error: string) => void;
  #lines: string[] = [];
  #harmless = 0;
  #serious: string[] = [];

  /** @param tell is given each error that matters, once it is whole, and each other word of pg_restore */
  constructor(tell: (said: string) => void) {
    this.#tell = tell;
  }

  /** The errors that matter, in their order. */
  get serious(): readonly string[] {
    return this.#serious;
  }

  /** Number of errors that mean nothing. */
  get harmless(): number {
    return this.#harmless;
  }

  add(line: string): void {
    if (line.startsWith('pg_restore: ')) {
      this.end();
    }
    this.#lines.push(line);
  }

  /** To be called once more after the last line. */
  end(): void {
    const [first, ...rest] = this.#lines;
    this.#lines = [];
    if (first === undefined) {
      return;
    }
    const said = [first, ...rest].join('\n');
    if (!first.startsWith(ERROR)) {
      // The rest is "while INITIALIZING:" and the like, which the error that follows does not need.
      if (first.startsWith('pg_restore: warning: ') && !SUMMARY.test(first)) {
        this.#tell(said);
      }
    } else if (rest.includes(HARMLESS)) {
      this.#harmless++;
    } else {
      this.#serious.push(said);
      this.#tell(said);
    }
  }
}
