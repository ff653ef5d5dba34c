/** Measures the dump engine against its predecessor and against the speed of the server. See README.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forgetCallersEnvironment } from '../local/host/environment.ts';
import { InvalidOptions, type Options, parseOptions, USAGE } from './options.ts';
import { table } from './report.ts';
import { METHODS, runRounds } from './rounds.ts';
import { prepare } from './setup.ts';

const EXIT = { failed: 1, misuse: 64, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal ended the benchmark. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly status: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Ended by ${signal}; everything was cleaned up.`);
    this.status = EXIT[signal];
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

forgetCallersEnvironment();
try {
  if (process.argv.includes('--help')) {
    say(USAGE);
  } else {
    await main(parseOptions(process.argv.slice(2)));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  const status = error instanceof Interrupted ? error.status : EXIT.failed;
  // After a signal, unfinished work must not keep this process alive.
  process.exit(error instanceof InvalidOptions ? EXIT.misuse : status);
}

async function main(options: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-bench-'));
  const cleanups: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true })];
  const work = async () => {
    const setup = await prepare(folder, options, say, (cleanup) => cleanups.push(cleanup));
    say(`\n${table(await runRounds(setup, options.rounds, say), METHODS)}`);
  };
  try {
    await Promise.race([work(), untilSignal()]);
  } finally {
    for (const cleanup of cleanups.toReversed()) {
      await cleanup();
    }
  }
}

/** Rejects on a signal. */
function untilSignal(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        reject(new Interrupted(signal));
      });
    }
  });
}
