import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../local/assembly/synth.ts';
import { Processes } from '../local/host/processes.ts';
import { HELP, InvalidOptions, type Options, parseOptions } from './options.ts';
import { figuresText, historyText, progressText } from './report.ts';
import { type Scale, scale, scaleText } from './scale.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const SCALES = [100, 1_000, 10_000, 100_000];

/** Between two lines that tell how far a simulation is. */
const PAUSE_MS = 5000;

const EXIT = { well: 0, violated: 1, misuse: 2, failed: 3 } as const;

/** What a simulation starts beside itself. */
const processes = new Processes();

process.exitCode = await main();
// After a failure the other worlds would go on, and this process with them.
await processes.stop();

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2), randomInt(1_000_000));
    if (options === 'help') {
      process.stdout.write(HELP);
      return EXIT.well;
    }
    return await run(options);
  } catch (error) {
    // A signal has ended it, and is about to end this process.
    if (processes.stopped) {
      return EXIT.failed;
    }
    if (!(error instanceof Error)) {
      throw error;
    }
    const isForeseen = error instanceof InvalidOptions || 'syscall' in error;
    process.stderr.write(`${isForeseen ? error.message : error.stack}\n`);
    return error instanceof InvalidOptions ? EXIT.misuse : EXIT.failed;
  }
}

/** Says some of what it is given to say, beside the output. */
function atTimes(): (line: string) => void {
  let next = performance.now() + PAUSE_MS;
  return (line) => {
    if (performance.now() < next) {
      return;
    }
    next = performance.now() + PAUSE_MS;
    process.stderr.write(`${line}\n`);
  };
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
  process.stderr.write(`cdk synth, and then a simulation of seed ${options.seed}\n`);
  try {
    await synthesize(cdkOut, processes);
    if (options.scale) {
      const scales: Scale[] = [];
      for (const secrets of SCALES) {
        scales.push(await scale(cdkOut, secrets));
      }
      process.stdout.write(scaleText(scales));
      return scales.some(({ first, later, settled }) =>
        [first, later, settled].some(({ throttled, failed }) => throttled + failed > 0),
      )
        ? EXIT.violated
        : EXIT.well;
    }
    const simulation = { ...options, cdkOut };
    const started = performance.now();
    const say = atTimes();
    const figures = await simulate(simulation, processes, (progress) => {
      say(progressText(simulation, progress));
    });
    process.stdout.write(figuresText(simulation, figures, (performance.now() - started) / 1000));
    const idle = options.keep?.filter((id) => !figures.happened.some((happening) => happening.id === id)) ?? [];
    if (idle.length > 0) {
      process.stdout.write(`Of --keep this did not happen: ${idle.join(', ')}\n`);
    }
    if (figures.violations.length === 0) {
      return EXIT.well;
    }
    process.stdout.write('\nLeaving out what a violation does not need …\n');
    const shrunk = await shrink(simulation, figures.violations, processes, (tries) => {
      say(`${tries} ways tried`);
    });
    process.stdout.write(historyText(shrunk));
    return EXIT.violated;
  } finally {
    remove();
  }
}
