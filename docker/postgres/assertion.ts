import pg from 'pg';
import { inSavepoint } from './connection/in-savepoint.ts';

/**
 * The question whether an assertion holds: a query of one boolean. As a subquery it can change nothing, and must have
 * one column, and one row at most.
 *
 * @param assertion SQL that somebody wrote
 */
export function questionOf(assertion: string): string {
  return `SELECT (\n${assertion}\n) AND true AS answer`;
}

/** Has the server parse a statement, which looks up its names and types, but executes nothing. */
class Parsing implements pg.Submittable {
  readonly #text: string;
  /** pg replaces it, to limit the time. */
  callback: (error?: Error) => void;

  constructor(text: string, callback: (error?: Error) => void) {
    this.#text = text;
    this.callback = callback;
  }

  submit(connection: pg.Connection): void {
    // The unnamed statement, which is gone with the next one.
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.sync();
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback();
  }
}

/** Parses a single statement. Connection and server errors pass through. */
export async function parse(client: pg.Client, statement: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.query(
      new Parsing(statement, (error) => {
        if (error === undefined) {
          resolve();
        } else {
          reject(error);
        }
      }),
    );
  });
}

/** Another session may have locked a table of it. */
const BOUND = "SET LOCAL statement_timeout TO '20s'";

/**
 * What is wrong with assertions, in the words of the server, as far as it is seen without executing them: of a database
 * with users who may have planted functions, they are not asked. Connection errors pass through.
 *
 * @returns for each that is wrong its place, from 1, and why
 */
export async function wrongAssertions(client: pg.Client, assertions: readonly string[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [index, assertion] of assertions.entries()) {
    try {
      await inSavepoint(client, 'undone', async () => {
        await client.query(BOUND);
        await parse(client, questionOf(assertion));
      });
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) {
        throw error;
      }
      problems.push(`number ${index + 1}: ${error.message} (SQLSTATE ${error.code ?? 'unknown'})`);
    }
  }
  return problems;
}
