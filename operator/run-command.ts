import { CommandError } from './command-error.ts';
import { explain } from './explain.ts';

const SIGPIPE_STATUS = 141;

export interface Command<Options> {
  readonly name: string;
  /** What to do, or to know, if its output cannot be written: a sentence. */
  readonly unread: string;
  readonly help: string;
  /** @throws {InvalidOptions} */
  readonly parse: (args: readonly string[]) => Options | 'help';
  /** @returns exit status */
  readonly main: (options: Options) => Promise<number>;
}

/**
 * Runs a command as this process, and sets the exit status: 141 if the reader of the output has gone, and otherwise
 * that of the command or its error.
 */
export async function runCommand<Options>({ name, unread, help, parse, main }: Command<Options>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const message = `The output cannot be written, so ${name} stopped: ${error.message}. ${unread}\n`;
      process.stderr.write(message, () => process.exit(error.code === 'EPIPE' ? SIGPIPE_STATUS : 1));
    });
  }
  try {
    const options = parse(process.argv.slice(2));
    if (options === 'help') {
      process.stdout.write(help);
    } else {
      process.exitCode = await main(options);
    }
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = error instanceof CommandError ? error.exitStatus : 1;
  }
}
