import { FEW, listed } from '../listed.ts';
import type { Answer } from '../postgres/connection/if-answered.ts';
import type { UnqualifiedName } from '../postgres/unqualified-names.ts';
import { type Finding, ok, warning } from './finding.ts';

export const RESTORABILITY = 'Restorability';

/** A warning and no problem: it is a guess by the text of functions, and better a dump to repair than none. */
export function restorabilityFinding(answer: Answer<readonly UnqualifiedName[]>): Finding {
  if ('unseen' in answer) {
    return warning(RESTORABILITY, `not checked, which does not keep a dump from being made: ${answer.unseen}`);
  }
  const names = answer.value;
  if (names.length === 0) {
    return ok(RESTORABILITY, 'nothing that a restore runs appears to name an object without its schema');
  }
  const calls = names.map(({ calls: called, name }) => `${called} names ${name}`);
  return warning(
    RESTORABILITY,
    'a restore may fail: for a generated column, a CHECK constraint, an index or a materialized view it runs, with an ' +
      'empty search_path, bodies of functions and queries in literals that appear to name objects without their schema: ' +
      `${listed(calls, FEW, '; ')}. Write the schema there, or give the function a search_path: ALTER FUNCTION … SET ` +
      'search_path TO …',
  );
}
