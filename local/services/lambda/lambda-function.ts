import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Resource, Template } from '../../assembly/template.ts';
import { sessionOf } from '../iam/iam.ts';
import type { FunctionError, InvocationResult } from '../invocation.ts';
import { destinationCall } from '../permissions/service-calls.ts';
import { type FunctionDependencies, Runtime } from './runtime.ts';

/** Lambda retries after one and two minutes, or after a visibility timeout, which would be too long to watch. */
export const RETRY_MS = 200;

/** Lambda's default: two retries of an asynchronous invocation. */
const DEFAULT_RETRIES = 2;

/** An event that could not be delivered or handled. */
export interface DeadLetter {
  /** ARN of the function or queue that it was for. */
  readonly handler: string;
  readonly destination: string;
  readonly requestPayload: unknown;
  /** Absent for an event that was in a queue, which does not record why. */
  readonly responsePayload?: FunctionError;
}

const asynchronousSchema = z.object({
  FunctionName: z.string(),
  MaximumRetryAttempts: z.number().default(DEFAULT_RETRIES),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }) }).optional(),
});

/** A function of the template. */
export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly title: string;
  readonly #runtime: Runtime;
  readonly #asynchronous: z.infer<typeof asynchronousSchema> | undefined;
  readonly #dependencies: FunctionDependencies;

  constructor(template: Template, resource: Resource, dependencies: FunctionDependencies) {
    this.name = template.nameOf(resource);
    this.arn = template.arnOf(resource);
    this.title = resource.title;
    this.#runtime = new Runtime(template, resource, dependencies);
    this.#asynchronous = template
      .ofType('AWS::Lambda::EventInvokeConfig')
      .map((config) => template.properties(config, asynchronousSchema))
      .find(({ FunctionName }) => FunctionName === this.name);
    this.#dependencies = dependencies;
  }

  get roleArn(): string {
    return this.#runtime.roleArn;
  }

  /** Invokes the function and waits for the result. */
  async invoke(event: unknown): Promise<InvocationResult> {
    const { trace } = this.#dependencies;
    const started = performance.now();
    trace({ kind: 'function invoked', name: this.title, description: this.#runtime.description });
    const result = await this.#runtime.run(event);
    trace({ kind: 'function ended', name: this.title, seconds: (performance.now() - started) / 1000, result });
    return result;
  }

  /**
   * Invokes the function as EventBridge does, retrying failures as configured in the template.
   *
   * @returns the dead letter if every attempt failed; on AWS it would be in the function's queue
   */
  async invokeAsynchronously(event: unknown): Promise<DeadLetter | undefined> {
    const retries = this.#asynchronous?.MaximumRetryAttempts ?? DEFAULT_RETRIES;
    for (let retry = 0; ; retry += 1) {
      const result = await this.invoke(event);
      if (result.kind === 'returned') {
        return undefined;
      }
      if (retry < retries && !this.#dependencies.processes.stopped) {
        await sleep(RETRY_MS);
        continue;
      }
      const destination = await this.#failureDestination();
      return { handler: this.arn, destination, requestPayload: event, responsePayload: result.error };
    }
  }

  /** @returns ARN of the destination, or `nowhere` if there is none, or the function's role may not send to it */
  async #failureDestination(): Promise<string> {
    const destination = this.#asynchronous?.DestinationConfig?.OnFailure.Destination;
    if (destination === undefined) {
      return 'nowhere';
    }
    const principal = sessionOf(this.#runtime.roleArn, this.name);
    return (await this.#dependencies.iam.allows({ ...destinationCall(destination), principal }))
      ? destination
      : 'nowhere';
  }
}
