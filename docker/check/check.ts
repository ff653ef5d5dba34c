import { styleText } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import { type FindingState, GRANTS_HEADING } from '../../contract.ts';
import { openS3 } from '../aws.ts';
import { log, onOneLine } from '../log.ts';
import type { Task } from '../plan/environment.ts';
import { logPlan, planOf, readPlan, type SecretPlan } from '../plan/plan.ts';
import type { RunContext } from '../run-context.ts';
import { checkEach } from './check-each.ts';
import { failureOf, type Finding, ok, problem, problemsOf, unchecked, warning } from './finding.ts';
import { keyFinding } from './key-finding.ts';
import { KEY, PREFLIGHT_CHECKS, runPreflight } from './preflight.ts';

const SECRET = 'Secret';
const COLORS = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
  unchecked: 'dim',
} as const satisfies Record<FindingState, unknown>;

function secretFinding({ ignored }: SecretPlan): Finding {
  const detail = 'readable, with all required fields';
  return ignored.length === 0 ? ok(SECRET, detail) : warning(SECRET, `${detail}; ${ignored.join('; ')}`);
}

async function findings(task: Task, s3: S3Client, context: RunContext): Promise<readonly Finding[]> {
  let secret: SecretPlan;
  try {
    secret = await readPlan(task, context.signal);
    logPlan(secret);
  } catch (error) {
    return [problem(SECRET, error), ...unchecked(KEY, ...PREFLIGHT_CHECKS)];
  }
  if (secret.databases.kind !== 'one') {
    return [secretFinding(secret), ...(await checkEach(secret, s3, context))];
  }
  const plan = planOf(secret, secret.databases.name);
  const key = await keyFinding(plan, s3, context.signal);
  const preflight = await runPreflight(plan, s3, context);
  return [secretFinding(secret), key, ...preflight.findings];
}

/** One line per finding, in columns; colored only on a terminal. */
function table(all: readonly Finding[]): readonly string[] {
  const width = Math.max(...all.map(({ check }) => check.length));
  return all.map((finding) => {
    const text = finding.state === 'problem' ? finding.failure.message : finding.detail;
    const state = styleText(COLORS[finding.state], finding.state.padEnd('unchecked'.length));
    return `${finding.check.padEnd(width)}  ${state}  ${onOneLine(text)}`;
  });
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/**
 * Runs only the checks of a dump, and prints their findings as a table, followed by SQL that fixes problems. Returns if
 * a dump could start.
 *
 * @throws {Failure} the failure that a dump would end with; of several databases, all of them
 */
export async function check(task: Task, context: RunContext): Promise<void> {
  const s3 = openS3(task.region);
  const found = await findings(task, s3, context).finally(() => {
    s3.destroy();
  });
  print(table(found));
  const problems = problemsOf(found);
  const sql = problems.flatMap((each) => each.sql);
  if (sql.length > 0) {
    log(GRANTS_HEADING);
    print(sql);
  }
  const [first, ...others] = problems;
  if (first !== undefined) {
    throw failureOf(first, others);
  }
  log('All checks passed: a dump can start.');
}
