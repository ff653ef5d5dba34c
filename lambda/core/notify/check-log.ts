import { FAILURE_PREFIX, FINDING_STATES, type FindingState, GRANTS_HEADING } from '../../../contract.ts';

/** Something that is not as it should be. */
export interface CheckFinding {
  /** Name of what was looked at: `Port`, `Tables, sequences`. */
  readonly check: string;
  readonly state: Extract<FindingState, 'problem' | 'warning'>;
  readonly detail: string;
}

/** What the log of a check says. */
export interface CheckLog {
  readonly findings: readonly CheckFinding[];
  /** SQL that grants missing privileges, one line each. */
  readonly sql: readonly string[];
  /** The last line, if there are no findings; or that the log has more lines, or why it could not be read. */
  readonly log?: string | undefined;
}

/** A line of its table. */
const LINE = new RegExp(`^(\\S.*?) {2,}(${FINDING_STATES.join('|')}) +(\\S.*)$`);

export function checkLogOf(lines: readonly string[]): CheckLog {
  // A log may have the findings of several attempts.
  const findings = [...new Set(lines)].flatMap((line): readonly CheckFinding[] => {
    const [, check = '', state = '', detail = ''] = LINE.exec(line) ?? [];
    return state === 'problem' || state === 'warning' ? [{ check, state, detail }] : [];
  });
  const heading = lines.lastIndexOf(GRANTS_HEADING);
  const sql = heading === -1 ? [] : lines.slice(heading + 1).filter((line) => !line.startsWith(FAILURE_PREFIX));
  return { findings, sql, ...(findings.length === 0 ? { log: lines.at(-1) } : {}) };
}
