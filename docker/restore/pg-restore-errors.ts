/** pg_restore says this of each statement that the server refused, and goes on. */
const ERROR = 'pg_restore: error';

/** The last line, which counts what was refused. */
export const SUMMARY = /^pg_restore: warning: errors ignored on restore: (\d+)$/;

const WARNING = 'pg_restore: warning: ';

/** What pg_restore says before all errors of statements other than COPY, and before the statement itself. */
const STATEMENT = 'could not execute query: ';
const COMMAND = 'Command was: ';

/**
 * How pg_restore 17 and newer begin each connection. Servers before 17 do not know the setting, nor need it, and say so
 * in the language that they speak.
 */
const HARMLESS = /could not execute query: .*transaction_timeout.*\nCommand was: SET transaction_timeout = 0;/g;

/** All else that harmless errors consist of: workers write this in pieces, between those of another at times. */
const FRAME = /^(?:pg_restore:|error:|\s)*$/;

/** What libpq says when it lost the server, with or without what pg_restore puts before. */
const LOST =
  /^(?:(?:(?:pg_restore|error):\s*)+(?:[^:]*: )?)?(?:FATAL: |server closed the connection unexpectedly|connection to server .* failed|could not (?:send|receive) data|no connection to the server|connection not open|SSL connection has been closed unexpectedly|SSL (?:SYSCALL )?error)/;

/** Of a line that two workers wrote in, no part is known to be free of values. */
const MANGLED = 'pg_restore: error: of several workers at once; the log of the server has what it refused';

/**
 * The beginning of a sentence that holds no value: up to a quotation mark, in whatever language, unless a name stands in
 * it. A value may hold quotation marks itself, so where it ends is not known.
 */
const WITHOUT_VALUES =
  /^(?:[^"'`«»‘’‚‛“”„‟‹›「」『』]|(?<=\b(?:access method|aggregate|collation|column|constraint|conversion|database|domain|encoding|extension|function|group|index|language|operator class|operator family|parameter|policy|procedure|publication|relation|role|rule|schema|sequence|server|subscription|table|tablespace|trigger|type|user|view|wrapper) )"[^"]*")*/;

/**
 * The beginning of a statement that holds no value: a password is in single quotes or between dollars, and most often
 * behind these words. In double quotes are names, without which nobody knows which table is meant.
 */
const WITHOUT_LITERALS = /^(?:(?!\b(?:OPTIONS|CONNECTION)\b)[^"'$]|"[^"]*")*/;

/** The beginning that the pattern matches, and whether that is all. */
function cut(text: string, pattern: RegExp): string {
  const [kept = ''] = pattern.exec(text) ?? [];
  return kept === text ? text : `${kept.trimEnd()} …`;
}

/**
 * Takes what pg_restore says on its standard error apart into errors, each of them several lines: the server's words,
 * detail and hint, and the statement. A statement may hold a password, and all the rest values of rows: what is told of
 * an error is the server's sentence and the beginning of the statement, each up to where a value may begin.
 */
export class RestoreErrors {
  readonly #tell: (error: string) => void;
  #lines: string[] = [];
  #harmless = 0;
  #serious = 0;
  #first: string | undefined;
  #last: string | undefined;
  #lost = false;

  /** @param tell is given each error that matters, once it is whole, and each warning, all without values */
  constructor(tell: (said: string) => void) {
    this.#tell = tell;
  }

  /** Number of errors that mean nothing. */
  get harmless(): number {
    return this.#harmless;
  }

  /** Number of errors that matter; of a line that is not understood, one. */
  get serious(): number {
    return this.#serious;
  }

  /** The first of those that matter, as it was told. */
  get first(): string | undefined {
    return this.#first;
  }

  /** The last of those that matter, as it was told. */
  get last(): string | undefined {
    return this.#last;
  }

  /** Whether one of them is that the server was lost. */
  get lost(): boolean {
    return this.#lost;
  }

  add(line: string): void {
    if (line.startsWith('pg_restore:')) {
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
    if (FRAME.test(said.replace(HARMLESS, ''))) {
      this.#harmless += said.match(HARMLESS)?.length ?? 0;
    } else if (first.startsWith(ERROR) || said.includes('error: ')) {
      this.#take(first, rest);
    } else if (first.startsWith(WARNING) && !SUMMARY.test(first)) {
      this.#tell(cut(first, WITHOUT_VALUES));
    }
  }

  #take(first: string, rest: readonly string[]): void {
    const commands = rest.filter((line) => line.startsWith(COMMAND));
    const words = commands[0] === undefined ? rest : rest.slice(0, rest.indexOf(commands[0]));
    this.#lost ||= [first, ...words].some((line) => LOST.test(line));
    const told = first.startsWith(ERROR) ? describe(first, rest, commands) : MANGLED;
    this.#serious++;
    this.#first ??= told;
    this.#last = told;
    this.#tell(told);
  }
}

function describe(first: string, rest: readonly string[], [command, another]: readonly string[]): string {
  const sentence = cut(first, WITHOUT_VALUES);
  // A value may look like the statement; then there are two of them, but for a COPY, which is not shown. And what another
  // worker wrote in between is told as little.
  const isCertain = first.includes(STATEMENT) && another === undefined && !rest.join('\n').includes('error: ');
  return isCertain && command !== undefined ? `${sentence}\n${cut(command, WITHOUT_LITERALS)}` : sentence;
}
