import { Failure } from '../failure.ts';
import type { Exclusions } from '../postgres/filters/exclusions.ts';
import { describeLeftOut } from '../postgres/filters/left-out.ts';
import { type Finding, ok, problem } from './finding.ts';

export const FILTERS = 'Filters';

/** @param exclusions or why there is none */
export function filtersFinding(exclusions: Exclusions | Failure): Finding {
  if (exclusions instanceof Failure) {
    return problem(FILTERS, exclusions);
  }
  const leftOut = describeLeftOut(exclusions.leftOut);
  return ok(FILTERS, leftOut === '' ? 'leave nothing out' : `leave out ${leftOut}`);
}
