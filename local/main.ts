import { forgetCallersEnvironment } from './host/environment.ts';
import { HELP, InvalidOptions, type Options, parseOptions } from './options.ts';
import { Reporter } from './report.ts';
import { runLocally } from './run.ts';
import { StepFailed } from './steps.ts';

const EXIT = { failed: 1, misuse: 2, SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;

type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

/** A signal ended the local run. */
class Interrupted extends Error {
  readonly signal: EndingSignal;

  constructor(signal: EndingSignal) {
    super(`Interrupted by ${signal}. Everything was stopped, and no partial dump was left behind.`);
    this.signal = signal;
  }
}

const args = process.argv.slice(2);
const json = args.includes('--json');
const reporter = new Reporter(json ? process.stderr : process.stdout);

const status = await main();
// Everything is stopped and all output is flushed, so no handle that a library left open may keep the process alive.
process.stdout.write('', () => process.exit(status));

async function main(): Promise<number> {
  try {
    const options = parseOptions(args, process.env);
    if (options === 'help') {
      process.stdout.write(HELP);
      return 0;
    }
    await run(options);
    return 0;
  } catch (error) {
    return fail(error);
  }
}

async function run(options: Options): Promise<void> {
  // The options contain the password now, and child processes get it only from the secret.
  forgetCallersEnvironment();
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      controller.abort(new Interrupted(signal));
    });
  }
  process.stdout.on('error', () => {
    controller.abort(new Interrupted('SIGPIPE'));
  });
  // For example, a log that cannot be written because the disk is full. Everything must still be stopped.
  process.on('uncaughtException', (error) => {
    controller.abort(error);
  });
  const { proof, restore, ...summary } = await runLocally(options, reporter, controller.signal);
  reporter.summary(summary, { proof, restore });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
}

function fail(error: unknown): number {
  const { step, reason, status } = explain(error);
  reporter.failed(step, reason);
  if (json) {
    process.stdout.write(`${JSON.stringify({ status: 'failed', step, reason })}\n`);
  }
  return status;
}

function explain(error: unknown): { readonly step: string; readonly reason: string; readonly status: number } {
  if (error instanceof InvalidOptions) {
    return { step: 'options', reason: error.message, status: EXIT.misuse };
  }
  if (error instanceof StepFailed) {
    return { step: error.step, reason: error.message, status: EXIT.failed };
  }
  if (error instanceof Interrupted) {
    return { step: 'interrupted', reason: error.message, status: EXIT[error.signal] };
  }
  if (isSystemError(error)) {
    return { step: 'this machine', reason: error.message, status: EXIT.failed };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { step: 'internal', reason: stack.split('\n').slice(0, 4).join('\n'), status: EXIT.failed };
}

/** An error of the operating system, such as ENOSPC: its message is sufficient, and a stack trace adds nothing. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
