import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DumpEnvironment, EXIT_STATUS } from '../contract.ts';
import { check } from './check/check.ts';
import { isNoSpace, StorageFull } from './disk.ts';
import { dump } from './dump/dump.ts';
import { describe, type EndingSignal, exitStatusOf, Failure, Interrupted } from './failure.ts';
import { HELP } from './help.ts';
import { printable } from './log.ts';
import { readEnvironment } from './plan/environment.ts';
import { readRestoreOrder, RESTORE_USAGE } from './restore/options.ts';
import { restore } from './restore/restore.ts';

/** Made at synth and put beside this program. */
const RDS_ROOTS = 'rds-roots.pem';

const SIGNALS: readonly EndingSignal[] = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/**
 * Aborts at the first signal that asks this program to end, when nobody reads what it writes any more, and at an error
 * that nothing else has caught; so there is one way out, which cleans up.
 */
function untilEnded(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      controller.abort(new Interrupted(signal));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      controller.abort(new Interrupted('SIGPIPE'));
    });
  }
  process.on('uncaughtException', (error) => {
    controller.abort(error);
  });
  return controller.signal;
}

/** What a check can do without: it is about the moment that it is run at, and about no execution. */
function standIns(): Partial<DumpEnvironment> {
  return { AUTODUMP_WHEN: new Date().toISOString().replace(/\.\d+Z$/, 'Z'), AUTODUMP_EXECUTION: 'none' };
}

async function main([command, ...rest]: readonly string[], programFile: string): Promise<void> {
  if ([command, ...rest].some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(HELP);
    return;
  }
  const context = {
    searchPath: process.env.PATH ?? '',
    rdsRoots: () => readFileSync(join(dirname(programFile), RDS_ROOTS), 'utf8'),
    signal: untilEnded(),
  };
  if (command === 'dump' && rest.length === 0) {
    return dump(readEnvironment(process.env), context);
  }
  if (command === 'dump' && rest.join(' ') === '--check') {
    return check(readEnvironment({ ...standIns(), ...process.env }), context);
  }
  if (command === 'restore') {
    return restore(readRestoreOrder(rest, process.env), context);
  }
  throw new Failure(
    'misuse',
    'What this program does is: dump, or dump --check for its checks alone, both with settings from the environment; or ' +
      `${RESTORE_USAGE}. --help tells more.`,
  );
}

const [, programFile = '', ...args] = process.argv;

main(args, programFile).then(
  () => process.exit(EXIT_STATUS.done),
  (error: unknown) => {
    const failure = isNoSpace(error) ? new StorageFull(error.message) : error;
    process.stderr.write(`${printable(describe(failure))}\n`);
    process.exit(exitStatusOf(failure));
  },
);
