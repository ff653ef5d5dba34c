import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DumpEnvironment, EXIT_STATUS } from '../contract.ts';
import { check } from './check/check.ts';
import { isNoSpace, StorageFull } from './disk.ts';
import { drill } from './drill/drill.ts';
import { DRILL_USAGE, parseDrillOptions } from './drill/options.ts';
import { dumpSecret } from './dump/dump-secret.ts';
import { describe, type EndingSignal, exitStatusOf, Failure, Interrupted, OutputLost } from './failure.ts';
import { HELP } from './help.ts';
import { history } from './history/history.ts';
import { HISTORY_USAGE, parseHistoryOptions } from './history/options.ts';
import { onOneLine } from './log.ts';
import { flushOutput } from './output.ts';
import { readEnvironment } from './plan/environment.ts';
import { rescue } from './rescue/rescue.ts';
import { parseRestoreOptions, RESTORE_USAGE } from './restore/options.ts';
import { restore } from './restore/restore.ts';
import { inWholeSeconds } from './time.ts';

/** Written beside this program at synth. */
const RDS_ROOTS = 'rds-roots.pem';

const SIGNALS: readonly EndingSignal[] = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/**
 * Aborts on the first signal that asks this program to end, when its output has lost its reader, and on an uncaught
 * error, so that there is a single exit path and it cleans up.
 */
function abortOnExit(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      controller.abort(new Interrupted(signal));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: Error) => {
      controller.abort(new OutputLost(error));
    });
  }
  process.on('uncaughtException', (error) => {
    controller.abort(error);
  });
  return controller.signal;
}

/** A check needs neither variable: it is about the present moment, and belongs to no execution. */
function checkDefaults(): Partial<DumpEnvironment> {
  return { AUTODUMP_WHEN: inWholeSeconds(new Date()), AUTODUMP_EXECUTION: 'none' };
}

async function main([command, ...rest]: readonly string[], programFile: string, signal: AbortSignal): Promise<void> {
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

const [, programFile = '', ...args] = process.argv;

const signal = abortOnExit();

/** @returns the exit status */
function report(error: unknown): number {
  const failure = isNoSpace(error) ? new StorageFull(error.message) : error;
  process.stderr.write(`${onOneLine(describe(failure))}\n`);
  return exitStatusOf(failure);
}

async function exit(status: number): Promise<never> {
  await flushOutput(signal);
  const reason: unknown = signal.reason;
  const wasReported = !(reason instanceof OutputLost) || status === exitStatusOf(reason);
  return process.exit(wasReported ? status : report(reason));
}

// Without this, Node.js would end with 0.
process.once('beforeExit', () => {
  void exit(report(new Error('The program has nothing left to wait for, and yet no result.')));
});

void main(args, programFile, signal)
  .then(() => EXIT_STATUS.done, report)
  .then(exit);
