/** Measures the dump engine against its predecessor and against the speed of the server. See README.md. */
import { Misuse } from '../local/host/misuse.ts';
import { Interrupted, type Program, runProgram } from '../local/host/program.ts';
import { temporaryFolder } from '../local/host/temporary-folder.ts';
import { parseOptions, USAGE } from './options.ts';
import { comparisons, table } from './report.ts';
import { runRounds } from './rounds.ts';
import { prepare } from './setup.ts';

const EXIT = { done: 0, failed: 1, misuse: 64 } as const;

const say = (line: string) => process.stdout.write(`${line}\n`);

await runProgram(main, { succeeded, failed });

/** @returns the results as text */
async function main(program: Program): Promise<string> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    return USAGE;
  }
  const options = parseOptions(args);
  const [folder, remove] = await temporaryFolder('bench');
  program.cleanups.push(remove);
  const setup = await prepare(folder, options, say, program);
  const rows = await runRounds(setup, options, say);
  return `\n${table(rows, options.methods)}${comparisons(rows)}`;
}

function succeeded(results: string): number {
  say(results);
  return EXIT.done;
}

function failed(error: unknown): number {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof Interrupted) {
    return error.status;
  }
  return error instanceof Misuse ? EXIT.misuse : EXIT.failed;
}
