import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Process, ProcessEnd, Processes } from '../../host/processes.ts';
import type { InvocationResult } from '../invocation.ts';
import type { BootstrapMessage } from './bootstrap.ts';

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.ts', import.meta.url));

const messageSchema: z.ZodType<BootstrapMessage> = z.union([
  z.object({
    error: z.object({ errorType: z.string(), errorMessage: z.string(), trace: z.array(z.string()) }),
  }),
  z.object({ payload: z.unknown() }),
]);

export interface EnvironmentOptions {
  /** The file of the bundle, and the name of the handler that it exports. */
  readonly args: readonly [file: string, exported: string];
  /** Working directory. */
  readonly folder: string;
  readonly variables: NodeJS.ProcessEnv;
  /** File to which standard output and error are appended. */
  readonly log: string;
}

/**
 * An execution environment of a function: a process that serves invocations, one after the other. It ends with the
 * local run, when an invocation takes too long, or when the function exits.
 */
export class Environment {
  readonly #process: Process;
  #isRunning = true;

  constructor(processes: Processes, { args, folder, variables, log }: EnvironmentOptions) {
    const output = openSync(log, 'a');
    this.#process = processes.start(process.execPath, [BOOTSTRAP, ...args], {
      cwd: folder,
      env: variables,
      stdio: ['ignore', output, output, 'ipc'],
      graceSeconds: 0,
    });
    closeSync(output);
    void this.#process.ended.then(() => {
      this.#isRunning = false;
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get ended(): Promise<ProcessEnd> {
    return this.#process.ended;
  }

  /** @param timeoutSeconds time after which the invocation ends, and the environment with it */
  async invoke(event: unknown, timeoutSeconds: number): Promise<InvocationResult> {
    const answer = await this.#answer(event, timeoutSeconds);
    if (answer === 'timed out') {
      await this.ended;
      return failed('Sandbox.Timedout', `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`);
    }
    if ('kind' in answer) {
      const status = answer.kind === 'not started' ? answer.error.message : `exit status ${answer.status}`;
      return failed('Runtime.ExitError', `Runtime exited without a response: ${status}`);
    }
    return 'error' in answer ? { kind: 'failed', error: answer.error } : { kind: 'returned', payload: answer.payload };
  }

  /** @returns the answer, or how the process ended without one */
  async #answer(event: unknown, timeoutSeconds: number): Promise<BootstrapMessage | ProcessEnd | 'timed out'> {
    const { child, ended, terminate } = this.#process;
    return new Promise((resolve) => {
      const timeout = setTimeout(() => {
        resolve('timed out');
        terminate();
      }, timeoutSeconds * 1000);
      child.once('message', (message) => {
        clearTimeout(timeout);
        resolve(messageSchema.parse(message));
      });
      void ended.then((end) => {
        clearTimeout(timeout);
        resolve(end);
      });
      child.send({ event }, () => undefined);
    });
  }
}

/** The result of an invocation that did not get as far as an answer. */
export function failed(errorType: string, errorMessage: string): InvocationResult {
  return { kind: 'failed', error: { errorType, errorMessage } };
}
