import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { SynthesisFailed, synthesize } from '../local/assembly/synth.ts';
import { InvalidOptions, Misuse } from '../local/host/misuse.ts';
import { Interrupted, orAborted, type Program, runProgram } from '../local/host/program.ts';
import { temporaryFolder } from '../local/host/temporary-folder.ts';
import { type CheckCost, checkCostText, measureChecks } from './cost/check-cost.ts';
import { measureRush, type RushResult, rushText } from './cost/rush.ts';
import { measureScale, type ScaleResult, scaleText } from './cost/scale.ts';
import type { Figures } from './figures.ts';
import { HELP, parseOptions, type SimulationOptions } from './options.ts';
import { figuresText, historyText, progressText } from './report.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import { WorldProcesses } from './world-process.ts';

const SCALES = [100, 1_000, 10_000, 100_000];

/** How many secrets with daily schedules are checked for missing dumps. */
const CHECKED = [100, 1_000, 10_000];

/** How many secrets are due at the same second. */
const RUSHES = [100, 1_000, 10_000];

/** Between two lines of progress. */
const PROGRESS_INTERVAL_MS = 5000;

const EXIT = { ok: 0, violated: 1, misuse: 2, failed: 3 } as const;

await runProgram(main, { succeeded: (status) => status, failed });

async function main(program: Program): Promise<number> {
  const options = parseOptions(process.argv.slice(2), randomInt(1_000_000));
  if (options === 'help') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [folder, remove] = await temporaryFolder('simulation');
  program.cleanups.push(remove);
  const cdkOut = join(folder, 'cdk.out');
  process.stderr.write('Running cdk synth\n');
  await synthesize(cdkOut, program.processes);
  return options.kind === 'scale' ? runScale(cdkOut, program) : runSimulation(options, cdkOut, program);
}

function failed(error: unknown): number {
  if (!(error instanceof Error)) {
    throw error;
  }
  const expected = [Misuse, Interrupted, SynthesisFailed].some((kind) => error instanceof kind) || 'syscall' in error;
  process.stderr.write(`${expected ? error.message : (error.stack ?? error.message)}\n`);
  if (error instanceof Interrupted) {
    return error.status;
  }
  return error instanceof Misuse ? EXIT.misuse : EXIT.failed;
}

async function runScale(cdkOut: string, { signal }: Program): Promise<number> {
  const results: ScaleResult[] = [];
  for (const secrets of SCALES) {
    results.push(await orAborted(measureScale(cdkOut, secrets), signal));
  }
  process.stdout.write(`Scans:\n${scaleText(results)}`);
  const checks: CheckCost[] = [];
  for (const isDrilled of [false, true]) {
    for (const secrets of CHECKED) {
      checks.push(await orAborted(measureChecks(cdkOut, secrets, isDrilled), signal));
    }
  }
  process.stdout.write(`\nA day of checks for missing dumps, when none is missing:\n${checkCostText(checks)}`);
  const rushes: RushResult[] = [];
  for (const secrets of RUSHES) {
    rushes.push(await orAborted(measureRush(cdkOut, secrets), signal));
  }
  process.stdout.write(`\nRuns that are due at the same second, in a new account:\n${rushText(rushes)}`);
  const isThrottled = results
    .flatMap(({ first, later, settled }) => [first, later, settled])
    .some(({ throttled, failed }) => throttled + failed > 0);
  return isThrottled || [...checks, ...rushes].some(({ failed }) => failed > 0) ? EXIT.violated : EXIT.ok;
}

async function runSimulation(options: SimulationOptions, cdkOut: string, { processes }: Program): Promise<number> {
  const simulation = { ...options, cdkOut };
  const worlds = new WorldProcesses(processes);
  process.stderr.write(`Simulating seed ${options.seed}\n`);
  const started = performance.now();
  const showProgress = progressWriter();
  const figures = await simulate(simulation, worlds, (progress) => {
    showProgress(progressText(simulation, progress));
  });
  process.stdout.write(figuresText(simulation, figures, (performance.now() - started) / 1000));
  if (figures.violations.length === 0) {
    refuseUnknown(options.keep ?? [], figures);
    return EXIT.ok;
  }
  process.stdout.write('\nSearching for the shortest history …\n');
  const shrunk = await shrink(simulation, figures.violations, worlds, (attempts) => {
    showProgress(`${attempts} attempts`);
  });
  process.stdout.write(historyText(shrunk));
  return EXIT.violated;
}

/**
 * A history that lacks what was to be kept proves nothing.
 *
 * @throws {InvalidOptions} if something did not occur
 */
function refuseUnknown(keep: readonly string[], { occurrences }: Figures): void {
  const occurred = new Set(occurrences.map(({ id }) => id));
  const missing = keep.filter((id) => !occurred.has(id));
  if (missing.length > 0) {
    throw new InvalidOptions(
      `--keep names ${missing.join(', ')}, which did not occur: copy the ids, and all other options, from a history.`,
    );
  }
}

/** Writes a line to standard error, at most one per interval. */
function progressWriter(): (line: string) => void {
  let next = performance.now() + PROGRESS_INTERVAL_MS;
  return (line) => {
    if (performance.now() < next) {
      return;
    }
    next = performance.now() + PROGRESS_INTERVAL_MS;
    process.stderr.write(`${line}\n`);
  };
}
