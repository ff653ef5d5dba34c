/** Start of pg_restore's message about a statement that the server refused; pg_restore then continues. */
const ERROR = 'pg_restore: error';

/** The last line, with the number of refused statements. */
export const SUMMARY = /^pg_restore: warning: errors ignored on restore: (\d+)$/;

const WARNING = 'pg_restore: warning: ';

/** pg_restore's words before the server's error, for statements other than COPY, and before the statement itself. */
const STATEMENT = 'could not execute query: ';
const COMMAND = 'Command was: ';

/**
 * The first statement of pg_restore 17 and later on each connection. Servers before 17 neither support nor need the
 * setting, and say so in their own language.
 */
const HARMLESS = /could not execute query: .*transaction_timeout.*\nCommand was: SET transaction_timeout = 0;/g;

/** The rest of harmless errors: workers write it in pieces, sometimes interleaved with those of another worker. */
const FRAME = /^(?:pg_restore:|error:|\s)*$/;

/** What `--verbose` adds, for what it does next and about the entry that an error is of. */
const PROGRESS = /^pg_restore: (?:connecting to |creating |while |from TOC entry )/;
const CREATING = 'pg_restore: creating ';
const ENTRY_ID = /^pg_restore: from TOC entry (\d+);/;

/** Entries of several statements. */
const GRANTS = /^(?:DEFAULT )?ACL /;

/** A message of the server that is no error, shown by `--verbose`; its severity may be in another language. */
const NOTICE = /^pg_restore: (?!error:|warning:)[^\s:]+: {2}/;

/** What pg_restore says in place of the reason when one of its workers has given up, after the worker's own error. */
const WORKER_DIED = /^pg_restore: error: a worker process died unexpectedly$/;

/** What pg_restore says when it traps SIGTERM, SIGINT or SIGQUIT. It then exits with status 1. */
const TERMINATED = 'pg_restore: terminated by user';

/** Errors after which pg_restore and its workers continue. */
const REFUSED = /^pg_restore: error: (?:could not execute query: |COPY failed for table )/;

/** libpq's messages when the connection is lost, with or without pg_restore's prefix. */
const LOST =
  /^(?:(?:(?:pg_restore|error):\s*)+(?:[^:]*: )?)?(?:FATAL: |server closed the connection unexpectedly|connection to server .* failed|could not translate host name|could not (?:send|receive) data|no connection to the server|connection not open|SSL connection has been closed unexpectedly|SSL (?:SYSCALL )?error)/;

/** What libpq says when it cannot connect, with the server's reason. No row has been sent yet. */
const NOT_CONNECTED =
  /^pg_restore: error: (?:could not reconnect to database: |reconnection failed: )?(?:connection to server |could not translate host name )/;

/** The same for another address of the host. Other lines may be of another worker. */
const ANOTHER_ADDRESS = /^connection to server at "[^"]*" \([^)]*\), port \d+ failed: /;

/** The server's reason for ending a connection, which is not about rows. */
const DISCONNECTED = /^pg_restore: error: (?:[^:]*: )?FATAL: /;

/** In the hint of the server's error, in every language, if it has no room for the locks of a statement. */
const LOCKS_SETTING = 'max_locks_per_transaction';

/** Of a line that two workers wrote to, no part is certain to be free of values. */
const INTERLEAVED =
  "pg_restore: error: messages of several workers are interleaved; see the server's log for the errors";

/** Reasons of the server for ending or refusing a connection, which are safe to quote wherever they are. */
const REASON =
  /terminating connection due to (?:administrator command|(?:idle-session|idle-in-transaction|transaction) timeout|conflict with recovery|unexpected postmaster exit)|too many connections for (?:role|database)|too many clients already|remaining connection slots are reserved|the database system is (?:shutting down|starting up|in recovery mode|not (?:yet )?accepting connections)/;

/**
 * The start of a sentence that contains no value: up to a quotation mark in any language, unless it quotes a name. A
 * value may itself contain quotation marks, so its end is unknown.
 */
const WITHOUT_VALUES =
  /^(?:[^"'`«»‘’‚‛“”„‟‹›「」『』]|(?<=\b(?:access method|aggregate|collation|column|constraint|conversion|database|domain|encoding|extension|file|function|group|index|language|operator class|operator family|parameter|policy|procedure|publication|relation|role|rule|schema|sequence|server|subscription|table|tablespace|trigger|type|user|view|wrapper) )"[^"]*")*/;

/**
 * The start of a statement that contains no value: a password is in single or dollar quotes, and usually follows these
 * keywords. Double quotes contain names, which the reader needs to find the table.
 */
const WITHOUT_LITERALS = /^(?:(?!\b(?:OPTIONS|CONNECTION)\b)[^"'$]|"[^"]*")*/;

const NAME = '(?:"[^"]*"|[^\\s".])+';

/**
 * Statements of a dump that neither make a table nor fill one. If a table depends on what such a statement makes, as on
 * the type of an extension, the server refuses that as well. pg_restore shows no more than about 128 characters of any.
 */
const WITHOUT_ROWS = new RegExp(
  '^Command was: (?:CREATE (?:(?:UNIQUE )?INDEX|(?:CONSTRAINT |EVENT )?TRIGGER|POLICY|USER MAPPING|STATISTICS|EXTENSION|PUBLICATION|SUBSCRIPTION) |' +
    '(?:REFRESH MATERIALIZED VIEW|ALTER INDEX|ALTER PUBLICATION|ALTER EVENT TRIGGER) |' +
    `ALTER TABLE (?:ONLY )?${NAME}\\.${NAME}\\s+(?:ADD CONSTRAINT|CLUSTER ON|ENABLE|DISABLE) )`,
);

/** Errors that are kept: a dump may have a million statements, all of which the server may refuse. */
const MOST_KEPT = 1000;

/** The start of the text that the pattern matches, with an ellipsis if that is not all of it. */
function cut(text: string, pattern: RegExp): string {
  const [kept = ''] = pattern.exec(text) ?? [];
  return kept === text ? text : `${kept.trimEnd()} …`;
}

/** The start of a message of the server about rows, up to where a value may begin. */
export function withoutValues(message: string): string {
  return cut(message, WITHOUT_VALUES);
}

/**
 * Parses pg_restore's standard error into errors of several lines each: the server's message, detail and hint, and the
 * statement. The statement may contain a password, and the other lines values of rows, so only the server's message and
 * the start of the statement are reported, each up to where a value may begin.
 */
export class RestoreErrors {
  readonly #report: (message: string) => void;
  #lines: string[] = [];
  #harmless = 0;
  #serious = 0;
  readonly #messages: string[] = [];
  #last: string | undefined;
  #lost: string | undefined;
  #isStopped = false;
  #mayCostRows = false;
  #entry = '';
  #isNoticed = false;
  #id: number | undefined;
  readonly #refusedGrants: number[] = [];

  /** @param report receives each complete serious error and each warning, all without values */
  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  /** Number of errors that can be ignored. */
  get harmless(): number {
    return this.#harmless;
  }

  /**
   * Number of errors that matter; a line that cannot be parsed counts as one. So does, with `--verbose`, each entry
   * that the server warned of: a GRANT or REVOKE that it does not refuse may yet do nothing.
   */
  get serious(): number {
    return this.#serious;
  }

  /** The first {@link MOST_KEPT} serious errors, as reported. */
  get messages(): readonly string[] {
    return this.#messages;
  }

  /** The last serious error, as reported, unless it only says that there was one. */
  get last(): string | undefined {
    return this.#last;
  }

  /** The first serious error that says that the connection to the server failed or was lost, as reported. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** Whether pg_restore was ended by a signal that it traps, or a worker of it without an error of its own. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether any serious error may be the reason that rows are missing, as that of a refused index is not. */
  get mayCostRows(): boolean {
    return this.#mayCostRows;
  }

  /** With `--verbose`: IDs of entries with grants that were refused. They do not count as errors. */
  get refusedGrants(): readonly number[] {
    return this.#refusedGrants;
  }

  add(line: string): void {
    if (line.startsWith('pg_restore:')) {
      this.end();
    }
    this.#isStopped ||= line === TERMINATED;
    this.#lines.push(line);
  }

  /** Completes the current error; must be called after the last line. */
  end(): void {
    const [first, ...rest] = this.#lines;
    this.#lines = [];
    if (first === undefined) {
      return;
    }
    const text = [first, ...rest].join('\n');
    if (PROGRESS.test(first)) {
      this.#addProgress(first);
    } else if (NOTICE.test(first)) {
      this.#addWithoutEffect(first);
    } else if (FRAME.test(text.replace(HARMLESS, ''))) {
      this.#harmless += text.match(HARMLESS)?.length ?? 0;
    } else if (first.startsWith(ERROR) || text.includes('error: ')) {
      this.#addSerious(first, rest);
    } else if (first.startsWith(WARNING) && !SUMMARY.test(first)) {
      this.#report(cut(first, WITHOUT_VALUES));
    }
  }

  #addProgress(line: string): void {
    if (line.startsWith(CREATING)) {
      this.#entry = line.slice(CREATING.length);
      this.#isNoticed = false;
    }
    const [, id] = ENTRY_ID.exec(line) ?? [];
    this.#id = id === undefined ? this.#id : Number(id);
  }

  /** The first notice about an entry. There may be one for each column of a table. */
  #addWithoutEffect(notice: string): void {
    if (!this.#isNoticed) {
      const message = `${cut(notice, WITHOUT_VALUES)}\n${this.#entry}`;
      this.#isNoticed = true;
      this.#serious++;
      this.#keep(message);
      this.#report(message);
    }
  }

  #addSerious(first: string, rest: readonly string[]): void {
    const commands = rest.filter((line) => line.startsWith(COMMAND));
    const details = commands[0] === undefined ? rest : rest.slice(0, rest.indexOf(commands[0]));
    const isLost = [first, ...details].some((line) => LOST.test(line));
    if (GRANTS.test(this.#entry) && this.#id !== undefined && first.includes(STATEMENT) && !isLost) {
      this.#refusedGrants.push(this.#id);
      return;
    }
    const message = first.startsWith(ERROR) ? describe(first, details, rest, commands) : interleaved([first, ...rest]);
    if (isLost) {
      this.#lost ??= message;
    }
    this.#mayCostRows ||= !WITHOUT_ROWS.test(statementOf(first, rest, commands));
    this.#serious++;
    this.#keep(message);
    if (WORKER_DIED.test(first)) {
      this.#isStopped ||= this.#last === undefined || REFUSED.test(this.#last);
      this.#last ??= message;
    } else {
      this.#last = message;
    }
    this.#report(message);
  }

  #keep(message: string): void {
    if (this.#messages.length < MOST_KEPT) {
      this.#messages.push(message);
    }
  }
}

function interleaved(lines: readonly string[]): string {
  const [reason] = REASON.exec(lines.join('\n')) ?? [];
  return reason === undefined ? INTERLEAVED : `${INTERLEAVED}. One of them: FATAL: ${reason}`;
}

/**
 * All lines of the statement; empty if they are not certain. A value may itself look like the statement. Then there are
 * two candidates, except for a COPY, whose statement is never printed. If another worker wrote in between, the
 * statement is not certain either.
 */
function statementOf(first: string, rest: readonly string[], [command, another]: readonly string[]): string {
  const isCertain =
    first.startsWith(ERROR) &&
    first.includes(STATEMENT) &&
    another === undefined &&
    !rest.join('\n').includes('error: ');
  return isCertain && command !== undefined ? rest.slice(rest.indexOf(command)).join('\n') : '';
}

function describe(
  first: string,
  details: readonly string[],
  rest: readonly string[],
  commands: readonly string[],
): string {
  if (NOT_CONNECTED.test(first)) {
    return [first, ...details.filter((line) => ANOTHER_ADDRESS.test(line))].join('\n');
  }
  const advice = details.some((line) => line.includes(LOCKS_SETTING)) ? ` (raise ${LOCKS_SETTING})` : '';
  const sentence = DISCONNECTED.test(first) ? first : cut(first, WITHOUT_VALUES) + advice;
  const statement = statementOf(first, rest, commands);
  // The first line says what a table, a view or a function is. What is to be run later, the reader needs as a whole.
  const shown = WITHOUT_ROWS.test(statement) ? statement : statement.replace(/\n.*$/s, '');
  return shown === '' ? sentence : `${sentence}\n${cut(shown, WITHOUT_LITERALS)}`;
}
