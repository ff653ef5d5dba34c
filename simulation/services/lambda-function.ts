import { join } from 'node:path';
import { z } from 'zod';
import type { Resource, Template } from '../../local/assembly/template.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Answer, type Call, fakeHttps } from '../runtime/fake-https.ts';
import { SandboxedModule, virtualGlobals } from '../runtime/sandbox.ts';
import { INTL } from '../runtime/timezone-rules.ts';
import type { Json } from './json.ts';
import type { ListedSecret } from './secrets-manager.ts';
import type { SentEvent } from './sent.ts';

const GLOBALS = ['console', 'process', 'Date', 'setTimeout', 'clearTimeout', 'Math', 'Intl'] as const;

const propertiesSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
  Handler: z.string(),
  Timeout: z.number(),
});

const asynchronousSchema = z.object({ FunctionName: z.string(), MaximumRetryAttempts: z.number() });

export type Result =
  | { readonly kind: 'returned'; readonly payload: Json }
  | { readonly kind: 'failed'; readonly error: string; readonly cause: string };

/** A call of an invocation. */
export interface InvocationCall {
  readonly operation: string;
  /** The ARN of a secret, or empty. */
  readonly subject: string;
  /** Whether the function may end well although it failed. */
  readonly mayFail: boolean;
  /** Decided by the last attempt. */
  failed: boolean;
}

/** An invocation of a function, as seen by the world. Fields that are not `readonly` change while it runs. */
export interface Invocation {
  readonly function: SimulatedFunction;
  readonly event: unknown;
  readonly started: number;
  /** By the id that all attempts of a call share. */
  readonly calls: Map<string, InvocationCall>;
  /** Whether it crashed or timed out. */
  killed: boolean;
  /** Its last listing of secrets has more pages. */
  hasUnreadPages: boolean;
  /** An injected fault made it wait. */
  delayed: boolean;
  /** The pages of secrets that it listed, by their token. */
  readonly pages: Map<string, readonly ListedSecret[]>;
  /** Whether it wrote an object. */
  wrote: boolean;
  /** The messages that it sent. */
  readonly messages: string[];
  /** The events that it put on the bus, by the id that all attempts of the call share. */
  readonly events: Map<string, readonly SentEvent[]>;
}

/** Serves the requests of functions: answers each in time, late or never, or makes the function crash. */
export interface World {
  readonly clock: Clock;
  /** When the runtime of functions gets new rules of time zones. */
  readonly runtimeUpdate: number;
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void;
  random(): number;
}

/** Which rules of time zones a function runs with. */
type Runtime = 'former' | 'current';

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** A Lambda function of the template, whose bundle runs in this process. */
export class SimulatedFunction {
  readonly name: string;
  readonly arn: string;
  readonly retries: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly #properties: z.infer<typeof propertiesSchema>;
  readonly #module: SandboxedModule;
  #idle: Environment[] = [];

  constructor(template: Template, resource: Resource) {
    this.name = template.nameOf(resource);
    this.arn = template.arnOf(resource);
    this.#properties = template.properties(resource, propertiesSchema);
    this.variables = this.#properties.Environment.Variables;
    this.retries =
      template
        .ofType('AWS::Lambda::EventInvokeConfig')
        .map((config) => template.properties(config, asynchronousSchema))
        .find(({ FunctionName }) => FunctionName === this.name)?.MaximumRetryAttempts ?? 2;
    const [module = ''] = this.#properties.Handler.split('.');
    this.#module = SandboxedModule.of(join(template.fileAsset(this.#properties.Code.S3Key), `${module}.js`), GLOBALS);
  }

  /** @param title path in the stack, or how it begins */
  static named(template: Template, title: string): SimulatedFunction {
    const resource = template.ofType('AWS::Lambda::Function').find((one) => one.title.startsWith(title));
    if (resource === undefined) {
      throw new Error(`The template has no function ${title}.`);
    }
    return new SimulatedFunction(template, resource);
  }

  /** @param done called before the result is returned to the caller */
  async invoke(world: World, event: unknown, done: (invocation: Invocation, result: Result) => void): Promise<Result> {
    const { clock } = world;
    const invocation: Invocation = {
      function: this,
      event,
      started: clock.now,
      calls: new Map(),
      killed: false,
      delayed: false,
      hasUnreadPages: false,
      pages: new Map(),
      wrote: false,
      messages: [],
      events: new Map(),
    };
    const runtime = clock.now < world.runtimeUpdate ? 'former' : 'current';
    this.#idle = this.#idle.filter((one) => one.runtime === runtime);
    const environment = this.#idle.pop() ?? new Environment(this.#module, this.name, this.#properties, runtime, world);
    const timeout = this.#properties.Timeout * 1000;
    const result = await new Promise<Result>((resolve) => {
      const kill = (error: string, cause: string) => () => {
        // By the time that this one would have timed out, the environment may serve another invocation.
        cancel();
        invocation.killed = true;
        environment.kill();
        resolve({ kind: 'failed', error, cause: JSON.stringify({ errorType: error, errorMessage: cause }) });
      };
      const crash = kill('Runtime.ExitError', 'Runtime exited without a response');
      const cancel = clock.at(
        clock.now + timeout,
        kill('Sandbox.Timedout', `Task timed out after ${this.#properties.Timeout} seconds`),
      );
      const context = { getRemainingTimeInMillis: () => invocation.started + timeout - clock.now };
      void environment.run(invocation, crash, context).then((ended) => {
        cancel();
        resolve(ended);
      });
    });
    this.#idle.push(environment);
    done(invocation, result);
    return result;
  }
}

/**
 * An execution environment of Lambda: the loaded bundle, warm between invocations, serving one at a time. After a crash
 * it also stands in for its replacement: responses to the old invocation are dropped. Loading the bundle again each
 * time would take most of the simulation's time, and the functions keep nothing in memory but clients.
 */
class Environment {
  readonly runtime: Runtime;
  readonly #handler: Handler;
  readonly #world: World;
  #current: { readonly invocation: Invocation; readonly crash: () => void } | undefined;
  #generation = 0;

  constructor(
    module: SandboxedModule,
    name: string,
    { Environment: { Variables }, Handler }: z.infer<typeof propertiesSchema>,
    runtime: Runtime,
    world: World,
  ) {
    this.runtime = runtime;
    this.#world = world;
    const [, exported = ''] = Handler.split('.');
    const globals = virtualGlobals(world.clock, () => world.random());
    const setTimeout: typeof globals.setTimeout = (act, ...rest) => globals.setTimeout(this.#whileAlive(act), ...rest);
    const prepareStackTrace = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace') ?? NO_PREPARE_STACK_TRACE;
    const exports = module.load(
      {
        ...globals,
        setTimeout,
        console: SILENT,
        process: processWith({ AWS_LAMBDA_FUNCTION_NAME: name, ...Variables }, runtime),
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
