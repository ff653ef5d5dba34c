import { FEW, listed } from '../listed.ts';
import { type Finding, ok, warning } from './finding.ts';

export const ASSERTIONS = 'Assertions';

/**
 * A warning and no problem: better a dump without them than none.
 *
 * @param wrong what is wrong with some of them
 */
export function assertionsFinding(assertions: readonly string[], wrong: readonly string[]): Finding {
  if (wrong.length === 0) {
    return ok(ASSERTIONS, `${assertions.length} for drills, parsed but not executed`);
  }
  return warning(
    ASSERTIONS,
    `a drill of this dump will fail, since the server does not accept ${wrong.length} of the ${assertions.length} queries in ` +
      `drillassert: ${listed(wrong, FEW, '; ')}. Each must be a query that returns one boolean, with the schemas of all names`,
  );
}
