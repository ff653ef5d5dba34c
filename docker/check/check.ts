import { styleText } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../aws.ts';
import { log, printable } from '../log.ts';
import type { Task } from '../plan/environment.ts';
import { type Plan, planFor } from '../plan/plan.ts';
import type { RunContext } from '../run-context.ts';
import { findDump } from '../s3/find-dump.ts';
import { checked, type Finding, ok, problem, problemsOf, unchecked } from './finding.ts';
import { CHECKS, examine } from './preflight.ts';

const SECRET = 'Secret';
const KEY = 'Key';

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', unchecked: 'dim' } as const;

async function keyFinding({ object }: Plan, s3: S3Client, signal: AbortSignal): Promise<Finding> {
  return checked(KEY, async () => {
    const found = await findDump(s3, object, signal);
    return found === undefined
      ? `s3://${object.bucket}/${object.key} is free`
      : `s3://${object.bucket}/${object.key} is there already, ${found.bytes} bytes: this dump is done and is not made again`;
  });
}

async function findings(task: Task, s3: S3Client, context: RunContext): Promise<readonly Finding[]> {
  let plan: Plan;
  try {
    plan = await planFor(task, context.signal);
  } catch (error) {
    return [problem(SECRET, error), ...unchecked(KEY, ...CHECKS)];
  }
  const key = await keyFinding(plan, s3, context.signal);
  const examination = await examine(plan, s3, context);
  return [ok(SECRET, 'can be read, and has all that it takes'), key, ...examination.findings];
}

/** One line for each finding, its parts in columns; in colours on a terminal alone. */
function table(found: readonly Finding[]): readonly string[] {
  const width = Math.max(...found.map(({ check }) => check.length));
  return found.map((finding) => {
    const text = finding.state === 'problem' ? finding.failure.message : finding.found;
    const state = styleText(COLOURS[finding.state], finding.state.padEnd('unchecked'.length));
    return `${finding.check.padEnd(width)}  ${state}  ${printable(text)}`;
  });
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/**
 * Runs the checks of a dump alone, and shows what they find as a table, with the SQL that mends it below. When it
 * returns, a dump could start.
 *
 * @throws {Failure} that a dump would end with
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
    log('SQL that grants what is missing, to be run in this database:');
    print(sql);
  }
  const [first] = problems;
  if (first !== undefined) {
    throw first.failure;
  }
  log('A dump could start.');
}
