import type { FindingState } from '../../contract.ts';
import { Failure } from '../failure.ts';

/** Result of one check before a dump. */
export type Finding = Note | Problem;

/** A result that does not prevent a dump. */
export interface Note {
  /** Name of the check, one or two words. */
  readonly check: string;
  readonly state: Exclude<FindingState, 'problem'>;
  readonly detail: string;
}

/** A failure that a dump would end with. */
export interface Problem {
  readonly check: string;
  readonly state: 'problem';
  readonly failure: Failure;
  /** Lines of SQL, including comments, that fix the problem; empty if SQL cannot. */
  readonly sql: readonly string[];
}

export function ok(check: string, detail: string): Note {
  return { check, state: 'ok', detail };
}

export function warning(check: string, detail: string): Note {
  return { check, state: 'warning', detail };
}

export function unchecked(...checks: readonly string[]): readonly Note[] {
  return checks.map((check) => ({ check, state: 'unchecked', detail: 'skipped because of the problem above' }));
}

/**
 * @param error as thrown by a check
 * @throws {Error} the error itself if it is not a {@link Failure}: the signal's reason, or an internal error
 */
export function problem(check: string, error: unknown, sql: readonly string[] = []): Problem {
  if (!(error instanceof Failure)) {
    throw error;
  }
  return { check, state: 'problem', failure: error, sql };
}

/** Runs a check that returns the detail of its finding or throws a {@link Failure}. */
export async function runCheck(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return ok(check, await work());
  } catch (error) {
    return problem(check, error);
  }
}

export function problemsOf(findings: readonly Finding[]): readonly Problem[] {
  return findings.filter((finding) => finding.state === 'problem');
}

/**
 * The failure of a run that these problems prevent. It names them all, since a message about a run has only the last
 * line of its log. It is worth another try only if all of them may pass.
 */
export function failureOf(first: Problem, others: readonly Problem[]): Failure {
  if (others.length === 0) {
    return first.failure;
  }
  const problems = [first, ...others];
  const { failure } = problems.find((each) => each.failure.reason !== 'tryAgain') ?? first;
  const list = problems.map((each, index) => `(${index + 1}) ${each.check}: ${each.failure.message}`).join(' ');
  return new Failure(failure.reason, `${problems.length} problems: ${list}`, { cause: failure });
}
