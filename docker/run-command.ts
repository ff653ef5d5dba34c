import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DumpEnvironment } from '../contract.ts';
import { check } from './check/check.ts';
import { isNoSpace, StorageFull } from './disk.ts';
import { drill } from './drill/drill.ts';
import { DRILL_USAGE, parseDrillOptions } from './drill/options.ts';
import { dumpSecret } from './dump/dump-secret.ts';
import { describe, exitStatusOf, Failure } from './failure.ts';
import { HELP } from './help.ts';
import { history } from './history/history.ts';
import { HISTORY_USAGE, parseHistoryOptions } from './history/options.ts';
import { onOneLine } from './log.ts';
import { readEnvironment } from './plan/environment.ts';
import { rescue } from './rescue/rescue.ts';
import { parseRestoreOptions, RESTORE_USAGE } from './restore/options.ts';
import { restore } from './restore/restore.ts';
import { inWholeSeconds } from './time.ts';

/** Written beside this program at synth. */
const RDS_ROOTS = 'rds-roots.pem';

/** A check needs neither variable: it is about the present moment, and belongs to no execution. */
function checkDefaults(): Partial<DumpEnvironment> {
  return { AUTODUMP_WHEN: inWholeSeconds(new Date()), AUTODUMP_EXECUTION: 'none' };
}

/**
 * Runs the command that the arguments name.
 *
 * @param programFile beside which the RDS root certificates are
 */
export async function runCommand(
  [command, ...rest]: readonly string[],
  programFile: string,
  signal: AbortSignal,
): Promise<void> {
  if ([command, ...rest].some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(HELP);
    return;
  }
  const context = {
    searchPath: process.env.PATH ?? '',
    rdsRoots: () => readFileSync(join(dirname(programFile), RDS_ROOTS), 'utf8'),
    signal,
  };
  if (command === 'dump' && rest.length === 0) {
    return dumpSecret(readEnvironment(process.env), context);
  }
  if (command === 'dump' && rest.join(' ') === '--check') {
    return check(readEnvironment({ ...checkDefaults(), ...process.env }), context);
  }
  if (command === 'restore') {
    const options = parseRestoreOptions(rest, process.env);
    return options.tables.length > 0 ? rescue(options, context) : restore(options, context);
  }
  if (command === 'history') {
    return history(parseHistoryOptions(rest, process.env), context);
  }
  if (command === 'drill') {
    return drill(parseDrillOptions(rest, process.env, new Date()), context);
  }
  throw new Failure(
    'misuse',
    'Unknown command. The commands are: dump, or dump --check to run only its checks, both configured by the ' +
      `environment; ${RESTORE_USAGE}; ${HISTORY_USAGE}; and ${DRILL_USAGE}. See --help.`,
  );
}

/** Writes why a command failed to standard error. @returns the exit status */
export function report(error: unknown): number {
  const failure = isNoSpace(error) ? new StorageFull(error.message) : error;
  process.stderr.write(`${onOneLine(describe(failure))}\n`);
  return exitStatusOf(failure);
}
