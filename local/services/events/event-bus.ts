import { randomUUID } from 'node:crypto';
import type { PutEventsRequest, PutEventsResponse } from '@aws-sdk/client-eventbridge';
import { z } from 'zod';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import type { Template } from '../../assembly/template.ts';
import { AccessDenied, type Iam, type Service } from '../iam/iam.ts';
import type { DeadLetter, LambdaFunction } from '../lambda/lambda-function.ts';
import { DEFAULT_BUS, destinationCall } from '../permissions/service-calls.ts';
import { Queue } from '../sqs/queue.ts';
import type { Trace } from '../trace.ts';
import { compilePattern, type Pattern } from './event-pattern.ts';

const ruleSchema = z.object({
  EventPattern: z.unknown().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.string().default('ENABLED'),
  Targets: z.array(z.object({ Arn: z.string(), DeadLetterConfig: z.object({ Arn: z.string() }).optional() })),
});

interface Rule {
  readonly name: string;
  readonly title: string;
  readonly arn: string;
  /** Matches no event if the rule has only a schedule. */
  readonly matches: Pattern;
  readonly scheduled: boolean;
  readonly targets: readonly Target[];
}

interface Target {
  readonly to: LambdaFunction | Queue;
  /** ARN of the queue for events that could not be delivered. */
  readonly deadLetterQueue: string | undefined;
}

/** An event as the service that emits it sends it. */
export interface SentEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
}

const detailSchema = z.record(z.string(), z.unknown());

/** The default event bus, with the rules of the template. */
export class EventBus {
  readonly #rules: readonly Rule[];
  readonly #iam: Iam;
  readonly #trace: Trace;
  readonly #deliveries = new Set<Promise<void>>();
  readonly #deadLetters: DeadLetter[] = [];
  /** Names of rules that were disabled after their deployment. */
  readonly #disabled = new Set<string>();

  /** @throws {Error} if a rule's target is not one of these */
  constructor(template: Template, possibleTargets: readonly (LambdaFunction | Queue)[], iam: Iam, trace: Trace) {
    this.#iam = iam;
    this.#trace = trace;
    this.#rules = template.ofType('AWS::Events::Rule').map((resource) => {
      const { EventPattern, ScheduleExpression, State, Targets } = template.properties(resource, ruleSchema);
      const enabled = State === 'ENABLED';
      return {
        name: template.nameOf(resource),
        title: resource.title,
        arn: template.arnOf(resource),
        matches: enabled && EventPattern !== undefined ? compilePattern(EventPattern) : () => false,
        scheduled: enabled && ScheduleExpression !== undefined,
        targets: Targets.map(({ Arn, DeadLetterConfig }) => {
          const to = possibleTargets.find(({ arn }) => arn === Arn);
          if (to === undefined) {
            throw new Error(`The target of the rule ${resource.title} is neither a function nor a queue: ${Arn}`);
          }
          return { to, deadLetterQueue: DeadLetterConfig?.Arn };
        }),
      };
    });
  }

  /** Events that could not be delivered or handled. */
  get deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters;
  }

  /** Disables a rule. @returns whether it exists */
  disable(name: string): boolean {
    this.#disabled.add(name);
    return this.#rules.some((rule) => rule.name === name);
  }

  get #enabled(): readonly Rule[] {
    return this.#rules.filter(({ name }) => !this.#disabled.has(name));
  }

  /** Puts an event on the bus. The targets of matching rules are invoked in the background. */
  put(sent: SentEvent): void {
    const event = withEnvelope(sent);
    const name = z.object({ eventName: z.string() }).safeParse(sent.detail);
    const rules = this.#enabled.filter(({ matches }) => matches(event));
    const isMatched = rules.length > 0;
    this.#trace({ kind: 'event', name: name.data?.eventName ?? sent['detail-type'], source: sent.source, isMatched });
    for (const rule of rules) {
      this.#deliver(rule, event);
    }
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
  putEvents({ Entries = [] }: PutEventsRequest): PutEventsResponse {
    for (const { Source = '', DetailType = '', Detail = '' } of Entries) {
      this.put({ source: Source, 'detail-type': DetailType, detail: detailSchema.parse(JSON.parse(Detail)) });
    }
    return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: randomUUID() })) };
  }

  /** Triggers every rule that has a schedule, once. */
  triggerSchedules(): void {
    for (const rule of this.#enabled.filter(({ scheduled }) => scheduled)) {
      const event = withEnvelope({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
      this.#deliver(rule, { ...event, resources: [rule.arn] });
    }
  }

  /** Resolves when no delivery is in progress. */
  async settled(): Promise<void> {
    while (this.#deliveries.size > 0) {
      await Promise.all(this.#deliveries);
    }
  }

  #deliver(rule: Rule, event: object): void {
    for (const target of rule.targets) {
      this.#trace({ kind: 'rule matched', rule: rule.title, target: target.to.title });
      const delivery = this.#invoke(rule, target, event);
      this.#deliveries.add(delivery);
      void delivery.finally(() => this.#deliveries.delete(delivery));
    }
  }

  async #invoke(rule: Rule, target: Target, event: object): Promise<void> {
    const letter = await this.#attemptDelivery(rule, target, event);
    if (letter === undefined) {
      return;
    }
    if (letter.destination === DEFAULT_BUS) {
      this.put(failedInvocation(letter));
      return;
    }
    this.#deadLetters.push(letter);
    this.#trace({ kind: 'dead letter', name: target.to.title, destination: letter.destination });
  }

  async #attemptDelivery(rule: Rule, target: Target, event: object): Promise<DeadLetter | undefined> {
    const service: Service = { name: 'events.amazonaws.com', sourceArn: rule.arn };
    const { to } = target;
    try {
      if (to instanceof Queue) {
        await this.#iam.authorizeService(service, destinationCall(to.arn));
        return await sendTo(to, event);
      }
      await this.#iam.authorizeService(service, { action: 'lambda:InvokeFunction', resource: to.arn });
      return await to.invokeAsynchronously(event);
    } catch (error) {
      if (!(error instanceof AccessDenied)) {
        throw error;
      }
      // EventBridge does not retry a delivery that is denied.
      const responsePayload = { errorType: 'NO_PERMISSIONS', errorMessage: error.message };
      const destination = await this.#deadLetterDestination(service, target);
      return { handler: to.arn, destination, requestPayload: event, responsePayload };
    }
  }

  /** @returns ARN of the target's queue, or `nowhere` if it has none, or the rule may not send to it */
  async #deadLetterDestination(service: Service, { deadLetterQueue }: Target): Promise<string> {
    if (deadLetterQueue === undefined) {
      return 'nowhere';
    }
    try {
      await this.#iam.authorizeService(service, destinationCall(deadLetterQueue));
      return deadLetterQueue;
    } catch (error) {
      if (error instanceof AccessDenied) {
        return 'nowhere';
      }
      throw error;
    }
  }
}

/** @returns the dead letter if every attempt to handle the event failed */
async function sendTo(queue: Queue, event: object): Promise<DeadLetter | undefined> {
  const redriven = await queue.send(JSON.stringify(event));
  return redriven && { handler: queue.arn, destination: redriven.destination, requestPayload: event };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function failedInvocation({ handler: functionArn, requestPayload, responsePayload }: DeadLetter): SentEvent {
  return {
    source: 'lambda',
    'detail-type': 'Lambda Function Invocation Result - Failure',
    resources: [DEFAULT_BUS, `${functionArn}:$LATEST`],
    detail: {
      version: '1.0',
      timestamp: new Date().toISOString(),
      requestContext: {
        requestId: randomUUID(),
        functionArn: `${functionArn}:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: 3,
      },
      requestPayload,
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload,
    },
  };
}

function withEnvelope(event: SentEvent): object {
  return {
    version: '0',
    id: randomUUID(),
    account: ACCOUNT,
    region: REGION,
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    resources: [],
    ...event,
  };
}
