/**
 * The command line or the environment is invalid. The message says what was given, what is allowed, and how to mend it.
 */
export class Misuse extends Error {}

/** The command line is invalid. */
export class InvalidOptions extends Misuse {
  override readonly name = 'InvalidOptions';
}
