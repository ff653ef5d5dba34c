import { EXIT_STATUS } from '../contract.ts';
import { type EndingSignal, exitStatusOf, Interrupted, OutputLost } from './failure.ts';
import { flushOutput } from './output.ts';
import { report, runCommand } from './run-command.ts';

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

const [, programFile = '', ...args] = process.argv;

const signal = abortOnExit();

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

void runCommand(args, programFile, signal)
  .then(() => EXIT_STATUS.done, report)
  .then(exit);
