import { Failure } from '../failure.ts';
import { describeLeftOut } from '../postgres/filters/left-out.ts';
import type { Selection } from '../postgres/filters/selection.ts';
import { type Finding, ok, problem } from './finding.ts';

export const FILTERS = 'Filters';

/** @param selection or why there is none */
export function filtersFinding(selection: Selection | Failure): Finding {
  if (selection instanceof Failure) {
    return problem(FILTERS, selection);
  }
  const leftOut = describeLeftOut(selection.leftOut);
  return ok(FILTERS, leftOut === '' ? 'leave nothing out' : `leave out ${leftOut}`);
}
