import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../local/assembly/synth.ts';
import { forgetCallersEnvironment } from '../local/host/environment.ts';
import { Processes } from '../local/host/processes.ts';
import { HELP, InvalidOptions, type Options, parseOptions } from './options.ts';
import { figuresText, historyText, progressText } from './report.ts';
import { measureScale, type ScaleResult, scaleText } from './scale.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const SCALES = [100, 1_000, 10_000, 100_000];

/** Between two lines of progress. */
const PROGRESS_INTERVAL_MS = 5000;

const EXIT = { ok: 0, violated: 1, misuse: 2, failed: 3 } as const;

const processes = new Processes();

forgetCallersEnvironment();
process.exitCode = await main();
// After a failure other worlds may still be running, and would keep this process alive.
await processes.stop();

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2), randomInt(1_000_000));
    if (options === 'help') {
      process.stdout.write(HELP);
      return EXIT.ok;
    }
    return await run(options);
  } catch (error) {
    // A signal has stopped the processes and is about to end this one.
    if (processes.stopped) {
      return EXIT.failed;
    }
    if (!(error instanceof Error)) {
      throw error;
    }
    const isExpected = error instanceof InvalidOptions || 'syscall' in error;
    process.stderr.write(`${isExpected ? error.message : error.stack}\n`);
    return error instanceof InvalidOptions ? EXIT.misuse : EXIT.failed;
  }
}

async function run(options: Options): Promise<number> {
  const cdkOut = mkdtempSync(join(tmpdir(), 'autodump-simulation-'));
  const remove = (): void => {
    rmSync(cdkOut, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void processes.stop().finally(() => {
        remove();
        process.kill(process.pid, signal);
      });
    });
  }
  try {
    process.stderr.write('Running cdk synth\n');
    await synthesize(cdkOut, processes);
    return options.scale ? await runScale(cdkOut) : await runSimulation(options, cdkOut);
  } finally {
    remove();
  }
}

async function runScale(cdkOut: string): Promise<number> {
  const results: ScaleResult[] = [];
  for (const secrets of SCALES) {
    results.push(await measureScale(cdkOut, secrets));
  }
  process.stdout.write(scaleText(results));
  const failures = results
    .flatMap(({ first, later, settled }) => [first, later, settled])
    .filter(({ throttled, failed }) => throttled + failed > 0);
  return failures.length > 0 ? EXIT.violated : EXIT.ok;
}

async function runSimulation(options: Options, cdkOut: string): Promise<number> {
  const simulation = { ...options, cdkOut };
  process.stderr.write(`Simulating seed ${options.seed}\n`);
  const started = performance.now();
  const showProgress = progressWriter();
  const figures = await simulate(simulation, processes, (progress) => {
    showProgress(progressText(simulation, progress));
  });
  process.stdout.write(figuresText(simulation, figures, (performance.now() - started) / 1000));
  const missing = options.keep?.filter((id) => !figures.occurrences.some((occurrence) => occurrence.id === id)) ?? [];
  if (missing.length > 0) {
    process.stdout.write(`Ids of --keep that did not occur: ${missing.join(', ')}\n`);
  }
  if (figures.violations.length === 0) {
    return EXIT.ok;
  }
  process.stdout.write('\nSearching for the shortest history …\n');
  const shrunk = await shrink(simulation, figures.violations, processes, (attempts) => {
    showProgress(`${attempts} attempts`);
  });
  process.stdout.write(historyText(shrunk));
  return EXIT.violated;
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
