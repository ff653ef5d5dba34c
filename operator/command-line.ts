import { CommandError } from './command-error.ts';

/** The command line is invalid. */
export class InvalidOptions extends CommandError {
  override readonly name = 'InvalidOptions';
  override readonly exitStatus = 2;
}

/**
 * Parses the arguments of a command.
 *
 * @param parse calls `parseArgs` of Node.js
 * @throws {InvalidOptions} if that throws, as it does for an unknown option
 */
export function parseCommandLine<T>(args: readonly string[], parse: (own: string[]) => T): T {
  // Some package runners pass the separator on.
  const own = args[0] === '--' ? args.slice(1) : args;
  try {
    return parse([...own]);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/(?<=\.) To specify/);
    throw new InvalidOptions(`${reason.replace(/\.$/, '')}. See --help.`);
  }
}
