/** A command cannot do what it was asked to do. The message is complete, and meant for people. */
export class CommandError extends Error {
  /** Exit status of the command. */
  readonly exitStatus: number = 1;
}
