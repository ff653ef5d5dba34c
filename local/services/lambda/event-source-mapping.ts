import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Resource, Template } from '../../assembly/template.ts';
import { type Iam, sessionOf } from '../iam/iam.ts';
import type { InvocationResult } from '../invocation.ts';
import type { Queue, SqsRecord } from '../sqs/queue.ts';
import { type LambdaFunction, RETRY_MS } from './lambda-function.ts';

/** Events are collected for this long. The window of the template would be too long to watch. */
const WINDOW_MS = 200;

const propertiesSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number(),
  MaximumBatchingWindowInSeconds: z.number().default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
});

const failuresSchema = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish(),
});

/** Invokes a function with batches of messages of a queue, one batch after another. */
export class EventSourceMapping {
  readonly #iam: Iam;
  readonly #queue: Queue;
  readonly #function: LambdaFunction;
  readonly #batchSize: number;
  readonly #windowMs: number;
  readonly #reportsFailures: boolean;
  #isPolling = false;

  /** @throws {Error} if it is not between a queue and a function of the template */
  constructor(
    template: Template,
    resource: Resource,
    { functions, queues, iam }: { functions: readonly LambdaFunction[]; queues: readonly Queue[]; iam: Iam },
  ) {
    const properties = template.properties(resource, propertiesSchema);
    const queue = queues.find(({ arn }) => arn === properties.EventSourceArn);
    const target = functions.find(({ name, arn }) => [name, arn].includes(properties.FunctionName));
    if (queue === undefined || target === undefined) {
      throw new Error(`The local run supports only queues as event sources of functions, not ${resource.title}.`);
    }
    this.#iam = iam;
    this.#queue = queue;
    this.#function = target;
    this.#batchSize = properties.BatchSize;
    this.#windowMs = Math.min(properties.MaximumBatchingWindowInSeconds * 1000, WINDOW_MS);
    this.#reportsFailures = properties.FunctionResponseTypes.includes('ReportBatchItemFailures');
    queue.onVisible = () => void this.#poll();
  }

  /**
   * Checks that the function's role may do what Lambda needs to poll the queue.
   *
   * @throws {Error} worded as by AWS, if it may not
   */
  async create(): Promise<void> {
    const principal = sessionOf(this.#function.roleArn, this.#function.name);
    for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
      if (!(await this.#iam.allows({ principal, action: `sqs:${action}`, resource: this.#queue.arn }))) {
        throw new Error(`The provided execution role does not have permissions to call ${action} on SQS`);
      }
    }
  }

  async #poll(): Promise<void> {
    if (this.#isPolling) {
      return;
    }
    this.#isPolling = true;
    await sleep(this.#windowMs);
    for (let batch = this.#queue.receive(this.#batchSize); batch.length > 0;) {
      await this.#handle(batch);
      batch = this.#queue.receive(this.#batchSize);
    }
    this.#isPolling = false;
  }

  async #handle(batch: readonly SqsRecord[]): Promise<void> {
    const failed = this.#failedOf(batch, await this.#function.invoke({ Records: batch }));
    for (const { messageId } of batch.filter((one) => !failed.has(one.messageId))) {
      this.#queue.delete(messageId);
    }
    if (failed.size > 0) {
      await sleep(RETRY_MS);
      for (const messageId of failed) {
        this.#queue.timeOut(messageId);
      }
    }
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html */
  #failedOf(batch: readonly SqsRecord[], result: InvocationResult): ReadonlySet<string> {
    const all = new Set(batch.map(({ messageId }) => messageId));
    if (result.kind === 'failed') {
      return all;
    }
    if (!this.#reportsFailures || result.payload === null) {
      return new Set();
    }
    const { data } = failuresSchema.safeParse(result.payload);
    const failed = (data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
    return data === undefined || failed.some((id) => !all.has(id)) ? all : new Set(failed);
  }
}
