import type { Outcome } from './stage.ts';

const ROW = /^(.+?) {2,}(ok|warning|problem|unchecked) {2,}(.+)$/gm;

/** The findings that `dump --check` prints: state and text by check. */
export function rowsOf({ stdout }: Outcome): Readonly<Record<string, readonly [state: string, text: string]>> {
  return Object.fromEntries(
    [...stdout.matchAll(ROW)].map(([, check = '', state = '', text = '']) => [check, [state, text] as const]),
  );
}

/** The names of the checks in a state. */
export function inState(outcome: Outcome, state: string): readonly string[] {
  return Object.entries(rowsOf(outcome))
    .filter(([, [actual]]) => actual === state)
    .map(([check]) => check);
}

/** The lines of SQL below the table. */
export function sqlOf({ stdout }: Outcome): readonly string[] {
  const [, sql = ''] = stdout.split('to grant the missing privileges:\n');
  return sql.split('\n').filter((line) => line !== '');
}
