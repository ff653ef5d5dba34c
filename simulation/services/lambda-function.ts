import { join } from 'node:path';
import { z } from 'zod';
import type { Resource, Template } from '../../local/assembly/template.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Answer, type Call, door } from '../runtime/fake-https.ts';
import { Module, surroundings } from '../runtime/sandbox.ts';
import type { Json } from './json.ts';

const GLOBALS = ['console', 'process', 'Date', 'setTimeout', 'clearTimeout', 'Math'] as const;

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

/** One invocation of a function, as the world sees it. What is not `readonly` changes while it runs. */
export interface Invocation {
  readonly function: SimulatedFunction;
  readonly event: unknown;
  readonly started: number;
  /** Calls by the id that all attempts share: what each was about, and how the last attempt went. */
  readonly calls: Map<string, { readonly operation: string; readonly subject: string; failed: boolean }>;
  /** The world took the function down: it crashed, or ran out of time. */
  killed: boolean;
  /** The last listing that it got goes on in further pages. */
  unread: boolean;
  /** The world kept it waiting. */
  hindered: boolean;
}

/** What the world does about a request: answers it in time or not at all, or takes the function down. */
export interface World {
  readonly clock: Clock;
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void;
  random(): number;
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** A function of the template: its bundle, run in this process. */
export class SimulatedFunction {
  readonly name: string;
  readonly arn: string;
  readonly retries: number;
  readonly #properties: z.infer<typeof propertiesSchema>;
  readonly #module: Module;
  readonly #idle: Environment[] = [];

  constructor(template: Template, resource: Resource) {
    this.name = template.nameOf(resource);
    this.arn = template.arnOf(resource);
    this.#properties = template.properties(resource, propertiesSchema);
    this.retries =
      template
        .ofType('AWS::Lambda::EventInvokeConfig')
        .map((config) => template.properties(config, asynchronousSchema))
        .find(({ FunctionName }) => FunctionName === this.name)?.MaximumRetryAttempts ?? 2;
    const [module = ''] = this.#properties.Handler.split('.');
    this.#module = new Module(join(template.fileAsset(this.#properties.Code.S3Key), `${module}.js`), GLOBALS);
  }

  /** @param done is told before the result goes to the caller */
  async invoke(world: World, event: unknown, done: (invocation: Invocation, result: Result) => void): Promise<Result> {
    const { clock } = world;
    const invocation: Invocation = {
      function: this,
      event,
      started: clock.now,
      calls: new Map(),
      killed: false,
      hindered: false,
      unread: false,
    };
    const environment = this.#idle.pop() ?? new Environment(this.#module, this.name, this.#properties, world);
    const timeout = this.#properties.Timeout * 1000;
    const result = await new Promise<Result>((resolve) => {
      const kill = (error: string, cause: string) => () => {
        // The environment may serve another invocation by the time that this one would have run out of.
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
 * The bundle in memory, warm between invocations, serving one at a time, as an execution environment of Lambda does.
 * After a crash it stands in for the one that Lambda would start: what the old invocation waits for never comes. To
 * compile the bundle anew each time would take most of the simulation's time, and functions keep nothing but clients.
 */
class Environment {
  readonly #handler: Handler;
  readonly #world: World;
  #current: { readonly invocation: Invocation; readonly crash: () => void } | undefined;
  #life = 0;

  constructor(
    module: Module,
    name: string,
    { Environment: { Variables }, Handler }: z.infer<typeof propertiesSchema>,
    world: World,
  ) {
    this.#world = world;
    const [, exported = ''] = Handler.split('.');
    const around = surroundings(world.clock, () => world.random());
    const setTimeout: typeof around.setTimeout = (act, ...rest) => around.setTimeout(this.#whileAlive(act), ...rest);
    const ofThisProcess = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace') ?? NO_PREPARATION;
    const exports = module.make(
      {
        ...around,
        setTimeout,
        console: SILENT,
        process: processWith({ AWS_LAMBDA_FUNCTION_NAME: name, ...Variables }),
      },
      {
        https: door((call, answer) => {
          this.#serve(call, answer);
        }),
        'fs/promises': NO_FILES,
      },
    );
    // The bundle's source map support would translate the stack of every error of this process.
    Object.defineProperty(Error, 'prepareStackTrace', ofThisProcess);
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
    this.#life += 1;
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

  /** Does something unless the environment was killed meanwhile. */
  #whileAlive<Args extends readonly unknown[]>(act: (...args: Args) => void): (...args: Args) => void {
    const life = this.#life;
    return (...args) => {
      if (life === this.#life) {
        act(...args);
      }
    };
  }
}

const NO_PREPARATION = { value: undefined, writable: true, configurable: true };

const SILENT = { info: () => undefined, log: () => undefined, warn: () => undefined, error: () => undefined };

/** Lambda has no configuration files of the SDK. */
const NO_FILES = {
  readFile: () => Promise.reject(Object.assign(new Error('There are no files here.'), { code: 'ENOENT' })),
};

function processWith(variables: Readonly<Record<string, string>>): object {
  const env = {
    AWS_REGION: 'us-west-2',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'simulated',
    ...variables,
  };
  return Object.create(process, { env: { value: env } }) as object;
}
