import type { Answer } from '../postgres/connection/if-answered.ts';
import type { UnqualifiedName } from '../postgres/unqualified-names.ts';
import { type Finding, ok, warning } from './finding.ts';

export const RESTORABILITY = 'Restorability';

const SHOWN = 5;

/** A warning and no problem: it is a guess by the text of functions, and better a dump to repair than none. */
export function restorabilityFinding(answer: Answer<readonly UnqualifiedName[]>): Finding {
  if ('unseen' in answer) {
    return warning(RESTORABILITY, `not checked, which does not keep a dump from being made: ${answer.unseen}`);
  }
  const names = answer.value;
  if (names.length === 0) {
    return ok(RESTORABILITY, 'no function that a restore calls appears to name an object without its schema');
  }
  const shown = names.slice(0, SHOWN).map(({ calls, name }) => `${calls} names ${name}`);
  const rest = names.length > SHOWN ? `; and ${names.length - SHOWN} more` : '';
  return warning(
    RESTORABILITY,
    'a restore may fail: for a generated column, a CHECK constraint, an index or a materialized view it calls functions, ' +
      `with an empty search_path, whose bodies appear to name objects without their schema: ${shown.join('; ')}${rest}. ` +
      'Write the schema in the body, or give the function a search_path: ALTER FUNCTION … SET search_path TO …',
  );
}
