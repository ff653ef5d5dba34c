import { Failure } from '../failure.ts';

/** What one check before a dump has found. */
export type Finding = Noted | Problem;

/** Nothing that ends a run. */
export interface Noted {
  /** What was checked, a word or two. */
  readonly check: string;
  /** `unchecked`: an earlier problem stands in the way. */
  readonly state: 'ok' | 'warning' | 'unchecked';
  readonly found: string;
}

/** A dump would end with this failure. */
export interface Problem {
  readonly check: string;
  readonly state: 'problem';
  readonly failure: Failure;
  /** Lines of SQL that mend it, comments among them; none where SQL can't. */
  readonly sql: readonly string[];
}

export function ok(check: string, found: string): Noted {
  return { check, state: 'ok', found };
}

export function warning(check: string, found: string): Noted {
  return { check, state: 'warning', found };
}

export function unchecked(...checks: readonly string[]): readonly Noted[] {
  return checks.map((check) => ({ check, state: 'unchecked', found: 'not checked, because of the problem above' }));
}

/**
 * @param error what a check threw
 * @throws {Error} the error itself if it is not a {@link Failure}: a signal's reason, or a fault of the program
 */
export function problem(check: string, error: unknown, sql: readonly string[] = []): Problem {
  if (!(error instanceof Failure)) {
    throw error;
  }
  return { check, state: 'problem', failure: error, sql };
}

/** Runs a check that answers with what it found, or throws a {@link Failure}. */
export async function checked(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return ok(check, await work());
  } catch (error) {
    return problem(check, error);
  }
}

export function problemsOf(findings: readonly Finding[]): readonly Problem[] {
  return findings.filter((finding) => finding.state === 'problem');
}
