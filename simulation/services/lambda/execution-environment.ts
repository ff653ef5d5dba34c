import { z } from 'zod';
import { type Answer, type Call, fakeHttps } from '../../runtime/fake-https.ts';
import { type SandboxedModule, virtualGlobals } from '../../runtime/sandbox.ts';
import { INTL } from '../../runtime/timezone-rules.ts';
import type { Json } from '../json.ts';
import type { Invocation, Result, World } from './invocation.ts';

/** The globals that a bundle must be loaded with. */
export const GLOBALS = ['console', 'process', 'Date', 'setTimeout', 'clearTimeout', 'Math', 'Intl'] as const;

/** Which rules of time zones a function runs with. */
export type Runtime = 'former' | 'current';

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** The code of a function. */
export interface Bundle {
  readonly module: SandboxedModule;
  /** Name of the exported handler. */
  readonly exported: string;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * An execution environment of Lambda: the loaded bundle, warm between invocations, serving one at a time. After a crash
 * it also stands in for its replacement: responses to the old invocation are dropped. Loading the bundle again each
 * time would take most of the simulation's time, and the functions keep nothing in memory but clients.
 */
export class ExecutionEnvironment {
  readonly runtime: Runtime;
  readonly #handler: Handler;
  readonly #world: World;
  #current: { readonly invocation: Invocation; readonly crash: () => void } | undefined;
  #generation = 0;

  constructor({ module, exported, variables }: Bundle, runtime: Runtime, world: World) {
    this.runtime = runtime;
    this.#world = world;
    const globals = virtualGlobals(world.clock, () => world.random());
    const setTimeout: typeof globals.setTimeout = (act, ...rest) => globals.setTimeout(this.#whileAlive(act), ...rest);
    const prepareStackTrace = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace') ?? NO_PREPARE_STACK_TRACE;
    const exports = module.load(
      {
        ...globals,
        setTimeout,
        console: SILENT,
        process: processWith(variables, runtime),
        Intl: INTL[runtime],
      },
      {
        https: fakeHttps((call, answer) => {
          this.#serve(call, answer);
        }),
        'fs/promises': NO_FILES,
      },
    );
    // Undoes the bundle's source map support, which would translate the stack of every error in this process.
    Object.defineProperty(Error, 'prepareStackTrace', prepareStackTrace);
    this.#handler = z
      .record(
        z.string(),
        z.custom<Handler>((value) => typeof value === 'function'),
      )
      .transform((all) => all[exported])
      .pipe(z.custom<Handler>((value) => value !== undefined))
      .parse(exports);
  }

  kill(): void {
    this.#generation += 1;
    this.#current = undefined;
  }

  async run(invocation: Invocation, crash: () => void, context: object): Promise<Result> {
    this.#current = { invocation, crash };
    try {
      const payload = await this.#handler(JSON.parse(JSON.stringify(invocation.event)), context);
      return { kind: 'returned', payload: JSON.parse(JSON.stringify(payload ?? null)) as Json };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      return { kind: 'failed', error: name, cause: JSON.stringify({ errorType: name, errorMessage: message }) };
    }
  }

  #serve(call: Call, answer: (answer: Answer) => void): void {
    if (this.#current === undefined) {
      return;
    }
    const { invocation, crash } = this.#current;
    this.#world.serve(invocation, call, this.#whileAlive(answer), crash);
  }

  /** Wraps an action so that it does nothing once the environment has been killed. */
  #whileAlive<Args extends readonly unknown[]>(act: (...args: Args) => void): (...args: Args) => void {
    const generation = this.#generation;
    return (...args) => {
      if (generation === this.#generation) {
        act(...args);
      }
    };
  }
}

const NO_PREPARE_STACK_TRACE = { value: undefined, writable: true, configurable: true };

const SILENT = { info: () => undefined, log: () => undefined, warn: () => undefined, error: () => undefined };

/** In Lambda the SDK finds no configuration files. */
const NO_FILES = {
  readFile: () => Promise.reject(Object.assign(new Error('There are no files.'), { code: 'ENOENT' })),
};

function processWith(variables: Readonly<Record<string, string>>, timezoneRules: string): object {
  const env = {
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'simulated',
    ...variables,
  };
  const versions = { ...process.versions, tz: timezoneRules };
  // As for the console, what functions write to their logs is not kept.
  const stdout = { write: () => true };
  return Object.create(process, {
    env: { value: env },
    versions: { value: versions },
    stdout: { value: stdout },
  }) as object;
}
