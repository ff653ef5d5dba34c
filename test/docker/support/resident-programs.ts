import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { bundledProgram } from './program.ts';

/** A command of the dump program, and what it needs to run. */
export interface Command {
  readonly args: readonly string[];
  /** The program that it is a command of. */
  readonly programFile: string;
  /** All of it; undefined variables are left out. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Exit status and output of the dump program. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Processes that run commands of the dump program one after another, as many as there are commands at once. Most
 * commands take less time than a start of the program.
 */
export class ResidentPrograms {
  readonly #all: ChildProcess[] = [];
  readonly #idle: ChildProcess[] = [];

  async run(command: Command): Promise<Outcome> {
    const program = this.#idle.pop() ?? (await this.#start());
    const answered = new AbortController();
    const { signal } = answered;
    const untilEnded = async (): Promise<never> => {
      await once(program, 'exit', { signal });
      throw new Error(`The process that ran ${command.args.join(' ')} has ended.`);
    };
    try {
      program.send(command);
      const [outcome] = (await Promise.race([once(program, 'message', { signal }), untilEnded()])) as [Outcome];
      this.#idle.push(program);
      return outcome;
    } finally {
      answered.abort();
    }
  }

  async #start(): Promise<ChildProcess> {
    const { resident } = await bundledProgram();
    const program = fork(resident, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#all.push(program);
    return program;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#all.map(async (program) => {
        if (!program.connected) {
          throw new Error(`A process that ran commands has ended, with status ${program.exitCode}.`);
        }
        program.disconnect();
        await once(program, 'exit');
      }),
    );
  }
}
