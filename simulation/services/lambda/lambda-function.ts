import { join } from 'node:path';
import { z } from 'zod';
import type { Resource, Template } from '../../../local/assembly/template.ts';
import { SandboxedModule } from '../../runtime/sandbox.ts';
import { type Bundle, ExecutionEnvironment, GLOBALS } from './execution-environment.ts';
import type { Invocation, Result, World } from './invocation.ts';

const propertiesSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
  Handler: z.string(),
  Timeout: z.number(),
});

const asynchronousSchema = z.object({ FunctionName: z.string(), MaximumRetryAttempts: z.number() });

/** A Lambda function of the template, whose bundle runs in this process. */
export class SimulatedFunction {
  /** Path in the stack. */
  readonly title: string;
  readonly name: string;
  readonly arn: string;
  /** How often an asynchronous invocation that failed is retried. */
  readonly retries: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly #timeoutSeconds: number;
  readonly #load: () => Bundle;
  #bundle: Bundle | undefined;
  #idle: ExecutionEnvironment[] = [];

  constructor(template: Template, resource: Resource) {
    const { Code, Environment, Handler, Timeout } = template.properties(resource, propertiesSchema);
    this.title = resource.title;
    this.name = template.nameOf(resource);
    this.arn = template.arnOf(resource);
    this.variables = Environment.Variables;
    this.retries =
      template
        .ofType('AWS::Lambda::EventInvokeConfig')
        .map((config) => template.properties(config, asynchronousSchema))
        .find(({ FunctionName }) => FunctionName === this.name)?.MaximumRetryAttempts ?? 2;
    this.#timeoutSeconds = Timeout;
    this.#load = () => {
      const [module = '', exported = ''] = Handler.split('.');
      return {
        module: SandboxedModule.of(join(template.fileAsset(Code.S3Key), `${module}.js`), GLOBALS),
        exported,
        variables: { AWS_LAMBDA_FUNCTION_NAME: this.name, ...this.variables },
      };
    };
  }

  async invoke(world: World, event: unknown): Promise<{ readonly invocation: Invocation; readonly result: Result }> {
    const { clock } = world;
    const invocation = newInvocation(this, event, clock.now);
    const environment = this.#environment(world);
    const timeout = this.#timeoutSeconds * 1000;
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
        kill('Sandbox.Timedout', `Task timed out after ${this.#timeoutSeconds} seconds`),
      );
      const context = { getRemainingTimeInMillis: () => invocation.started + timeout - clock.now };
      void environment.run(invocation, crash, context).then((ended) => {
        cancel();
        resolve(ended);
      });
    });
    this.#idle.push(environment);
    return { invocation, result };
  }

  /** An idle environment or a new one. A new runtime replaces all. */
  #environment(world: World): ExecutionEnvironment {
    const runtime = world.clock.now < world.runtimeUpdate ? 'former' : 'current';
    this.#idle = this.#idle.filter((one) => one.runtime === runtime);
    this.#bundle ??= this.#load();
    return this.#idle.pop() ?? new ExecutionEnvironment(this.#bundle, runtime, world);
  }
}

export function functionsOf(template: Template): readonly SimulatedFunction[] {
  return template.ofType('AWS::Lambda::Function').map((resource) => new SimulatedFunction(template, resource));
}

/**
 * @param title path in the stack, or how it begins
 * @throws {Error} if there is none
 */
export function functionTitled(functions: readonly SimulatedFunction[], title: string): SimulatedFunction {
  const found = functions.find((one) => one.title.startsWith(title));
  if (found === undefined) {
    throw new Error(`The template has no function ${title}.`);
  }
  return found;
}

function newInvocation(called: SimulatedFunction, event: unknown, started: number): Invocation {
  return {
    function: called,
    event,
    started,
    calls: new Map(),
    killed: false,
    delayed: false,
    hasUnreadPages: false,
    pages: new Map(),
    wrote: false,
    messages: [],
    events: new Map(),
  };
}
