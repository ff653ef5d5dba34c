import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ACCOUNT, REGION, type Template } from '../../assembly/template.ts';
import { AccessDenied, type Iam, type Service } from '../iam/iam.ts';
import type { DeadLetter, LambdaFunction } from '../lambda/lambda.ts';
import { destinationCall } from '../permissions/service-calls.ts';
import type { Report } from '../trace.ts';
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
  /** A rule with a schedule alone matches no event. */
  readonly matches: Pattern;
  readonly scheduled: boolean;
  readonly targets: readonly Target[];
}

interface Target {
  readonly function: LambdaFunction;
  /** ARN of the queue for what could not be delivered. */
  readonly deadLetters: string | undefined;
}

/** An event as the service that it comes from sends it. */
export interface SentEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The default event bus with the rules of the template. */
export class EventBus {
  readonly #rules: readonly Rule[];
  readonly #iam: Iam;
  readonly #report: Report;
  readonly #deliveries = new Set<Promise<void>>();
  readonly #deadLetters: DeadLetter[] = [];
  /** Names of rules that were disabled after their deployment. */
  readonly #disabled = new Set<string>();

  constructor(template: Template, functions: readonly LambdaFunction[], iam: Iam, report: Report) {
    this.#iam = iam;
    this.#report = report;
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
          const target = functions.find(({ arn }) => arn === Arn);
          if (target === undefined) {
            throw new Error(`The rule ${resource.title} has a target that is no function: ${Arn}`);
          }
          return { function: target, deadLetters: DeadLetterConfig?.Arn };
        }),
      };
    });
  }

  /** Events that were given up on. */
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

  /** Puts an event on the bus; the targets of the rules that match are invoked in the background. */
  put(sent: SentEvent): void {
    const event = complete(sent);
    const name = z.object({ eventName: z.string() }).safeParse(sent.detail);
    this.#report({ kind: 'event', name: name.data?.eventName ?? sent['detail-type'], source: sent.source });
    for (const rule of this.#enabled.filter(({ matches }) => matches(event))) {
      this.#deliver(rule, event);
    }
  }

  /** Lets the schedules of all rules strike once. */
  strike(): void {
    for (const rule of this.#enabled.filter(({ scheduled }) => scheduled)) {
      const event = complete({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
      this.#deliver(rule, { ...event, resources: [rule.arn] });
    }
  }

  /** Comes when no target is under way any more. */
  async settled(): Promise<void> {
    while (this.#deliveries.size > 0) {
      await Promise.all(this.#deliveries);
    }
  }

  #deliver(rule: Rule, event: object): void {
    for (const target of rule.targets) {
      this.#report({ kind: 'rule matched', rule: rule.title, target: target.function.title });
      const delivery = this.#invoke(rule, target, event);
      this.#deliveries.add(delivery);
      void delivery.finally(() => this.#deliveries.delete(delivery));
    }
  }

  async #invoke(rule: Rule, target: Target, event: object): Promise<void> {
    const letter = await this.#deliverOrBury(rule, target, event);
    if (letter === undefined) {
      return;
    }
    this.#deadLetters.push(letter);
    this.#report({ kind: 'dead letter', name: target.function.title, destination: letter.destination });
  }

  async #deliverOrBury(rule: Rule, target: Target, event: object): Promise<DeadLetter | undefined> {
    const service: Service = { name: 'events.amazonaws.com', sourceArn: rule.arn };
    const functionArn = target.function.arn;
    try {
      await this.#iam.demandFor(service, { action: 'lambda:InvokeFunction', resource: functionArn });
      return await target.function.invokeAsynchronously(event);
    } catch (error) {
      if (!(error instanceof AccessDenied)) {
        throw error;
      }
      // Delivery that is not permitted is not tried again.
      const responsePayload = { errorType: 'NO_PERMISSIONS', errorMessage: error.message };
      const destination = await this.#burialGround(service, target);
      return { functionArn, destination, requestPayload: event, responsePayload };
    }
  }

  async #burialGround(service: Service, { deadLetters }: Target): Promise<string> {
    if (deadLetters === undefined) {
      return 'nowhere';
    }
    try {
      await this.#iam.demandFor(service, destinationCall(deadLetters));
      return deadLetters;
    } catch (error) {
      if (error instanceof AccessDenied) {
        return 'nowhere';
      }
      throw error;
    }
  }
}

function complete(event: SentEvent): object {
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
