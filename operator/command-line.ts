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
    throw new InvalidOptions(`${problemOf(error)} See --help.`);
  }
}

/** What `parseArgs` says, without its examples. */
function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, option] = /use '(--[\w-]+)=-XYZ'/.exec(message) ?? [];
  if (option !== undefined) {
    return `${option} needs a value. One that begins with a dash follows an equals sign: ${option}=-1.`;
  }
  const [problem = ''] = message.split(/(?<=\.) To specify/);
  return problem.replace(/[^.]$/, '$&.');
}
