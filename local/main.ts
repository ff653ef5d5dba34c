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
  const { step, reason, status } = explain(error);
  const wasLost = error instanceof OutputLost || (error instanceof Interrupted && error.signal === 'SIGPIPE');
  (wasLost ? new Reporter(process.stderr) : reporter).failed(step, reason);
  if (json) {
    process.stdout.write(`${JSON.stringify({ status: 'failed', step, reason })}\n`);
  }
  return status;
}

function explain(error: unknown): { readonly step: string; readonly reason: string; readonly status: number } {
  if (error instanceof Misuse) {
    return { step: 'options', reason: error.message, status: EXIT.misuse };
  }
  if (error instanceof StepFailed) {
    return { step: error.step, reason: error.message, status: EXIT.failed };
  }
  if (error instanceof Interrupted) {
    return { step: 'interrupted', reason: error.message, status: error.status };
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
