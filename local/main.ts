import { Misuse } from './host/misuse.ts';
import { Interrupted, OutputLost, type Program, runProgram } from './host/program.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { type ReportDetails, Reporter, type Summary } from './report.ts';
import { runLocally } from './run.ts';
import { StepFailed } from './steps.ts';

const EXIT = { done: 0, failed: 1, misuse: 2 } as const;

const args = process.argv.slice(2);
const password = process.env.PGPASSWORD;
const json = args.includes('--json');
const reporter = new Reporter(json ? process.stderr : process.stdout);

await runProgram(main, { succeeded, failed });

async function main(program: Program): Promise<'help' | (Summary & ReportDetails)> {
  const options: Options | 'help' = parseOptions(args, password);
  return options === 'help' ? options : runLocally(options, reporter, program);
}

function succeeded(result: 'help' | (Summary & ReportDetails)): number {
  if (result === 'help') {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const { proof, restore, ...summary } = result;
  reporter.summary(summary, { proof, restore });
  if (json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
  return EXIT.done;
}

function failed(error: unknown): number {
  const { step, what, reason, status } = explain(error);
  const wasLost = error instanceof OutputLost || (error instanceof Interrupted && error.signal === 'SIGPIPE');
  (wasLost ? new Reporter(process.stderr) : reporter).failed(what, reason);
  if (json) {
    process.stdout.write(`${JSON.stringify({ status: 'failed', step, reason })}\n`);
  }
  return status;
}

interface Explanation {
  /** In the result as JSON. */
  readonly step: string;
  /** A sentence, which the reason follows. */
  readonly what: string;
  readonly reason: string;
  readonly status: number;
}

function explain(error: unknown): Explanation {
  if (error instanceof Misuse) {
    const what = 'Nothing was started, as an option or the environment is invalid.';
    return { step: 'options', what, reason: error.message, status: EXIT.misuse };
  }
  if (error instanceof StepFailed) {
    return { step: error.step, what: `Step "${error.step}" failed.`, reason: error.message, status: EXIT.failed };
  }
  if (error instanceof Interrupted) {
    return { step: 'interrupted', what: 'The run did not end.', reason: error.message, status: error.status };
  }
  if (isSystemError(error)) {
    const what = 'The operating system reported an error.';
    return { step: 'this machine', what, reason: error.message, status: EXIT.failed };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const reason = stack.split('\n').slice(0, 4).join('\n');
  return { step: 'internal', what: 'This is a fault of the local run itself.', reason, status: EXIT.failed };
}

/** An error of the operating system, such as ENOSPC: its message is sufficient, and a stack trace adds nothing. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
