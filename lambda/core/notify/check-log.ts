import { GRANTS_HEADING } from '../../../contract.ts';

/** What the log of a check says. */
export interface CheckLog {
  /** What it found that is not as it should be, and warnings. */
  readonly findings: readonly string[];
  /** SQL that grants missing privileges, one line each. */
  readonly sql: readonly string[];
  /** The last line, if it has found nothing; or that the log has more lines, or why it could not be read. */
  readonly log?: string | undefined;
}

/** A line of its table: what was checked, in what state it is, and the details. */
const FINDING = /^(\S.*?) {2,}(problem|warning) +(\S.*)$/;

/** Begins the last line of a check that failed. */
const FAILED = 'AutoDump failed: ';

export function checkLogOf(lines: readonly string[]): CheckLog {
  const findings = lines.flatMap((line) => {
    const [, check = '', state = '', detail = ''] = FINDING.exec(line) ?? [];
    return check === '' ? [] : [state === 'problem' ? `${check}: ${detail}` : `${check} (warning): ${detail}`];
  });
  const heading = lines.lastIndexOf(GRANTS_HEADING);
  const sql = heading === -1 ? [] : lines.slice(heading + 1).filter((line) => !line.startsWith(FAILED));
  // A log may have the findings of several attempts.
  return { findings: [...new Set(findings)], sql, ...(findings.length === 0 ? { log: lines.at(-1) } : {}) };
}
