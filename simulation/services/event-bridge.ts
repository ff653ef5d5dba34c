import { z } from 'zod';
import { ACCOUNT, REGION } from '../../local/assembly/account.ts';
import type { Template } from '../../local/assembly/template.ts';
import { compilePattern, type Pattern } from '../../local/services/events/event-pattern.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Faults } from '../runtime/faults.ts';
import type { Secret, SecretEvent, Span } from '../workload/secret-history.ts';

const MINUTE = 60_000;
const UNITS: Readonly<Record<string, number>> = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE };

const TAG_EVENT_FAULTS = { 'event lost': 0.1, 'event duplicated': 0.1, 'event delayed': 0.1 };
const PERIOD_FAULTS = { 'scan duplicated': 0.005 };

const ruleSchema = z.object({
  EventPattern: z.unknown().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.string().default('ENABLED'),
  Targets: z.array(z.object({ Arn: z.string() })).default([]),
});

/** EventBridge, with those rules of the template that invoke a function. */
export class EventBridge {
  /** The shortest period of a rule, in milliseconds; infinite if no rule is periodic. */
  readonly period: number;
  readonly #patterns: readonly Pattern[];
  readonly #clock: Clock;
  /** When the latest event of a secret arrives. */
  readonly #arrivals = new Map<Secret, number>();
  readonly #faults: Faults;
  readonly #deliver: (event: unknown) => void;

  /** @param target ARN of the function */
  constructor(template: Template, target: string, clock: Clock, faults: Faults, deliver: (event: unknown) => void) {
    const rules = template
      .ofType('AWS::Events::Rule')
      .map((resource) => template.properties(resource, ruleSchema))
      .filter(({ State, Targets }) => State === 'ENABLED' && Targets.some(({ Arn }) => Arn === target));
    this.period = Math.min(...rules.map(({ ScheduleExpression }) => periodOf(ScheduleExpression)));
    this.#patterns = rules.flatMap(({ EventPattern }) =>
      EventPattern === undefined ? [] : [compilePattern(EventPattern)],
    );
    this.#clock = clock;
    this.#faults = faults;
    this.#deliver = deliver;
  }

  /** Starts the periodic rule. */
  startPeriodicRule(span: Span): void {
    const trigger = (): void => {
      const { kind, latency } = this.#faults.decide('period', PERIOD_FAULTS);
      const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
      for (let i = kind === undefined ? 1 : 2; i > 0; i -= 1) {
        this.#deliverAfter(latency * 500 * i, event);
      }
      if (this.#clock.now + this.period < span.to) {
        this.#clock.at(this.#clock.now + this.period, trigger);
      }
    };
    if (Number.isFinite(this.period)) {
      this.#clock.at(span.from, trigger);
    }
  }

  /** Sends the CloudTrail event of a change to a secret, unless it is lost. */
  secretChanged(secret: Secret, { id, eventName }: SecretEvent): void {
    const { kind, latency } = this.#faults.decide(`event|${id}`, TAG_EVENT_FAULTS);
    const event = {
      source: 'aws.secretsmanager',
      'detail-type': 'AWS API Call via CloudTrail',
      detail: {
        eventSource: 'secretsmanager.amazonaws.com',
        eventName,
        requestParameters: eventName === 'CreateSecret' ? { name: secret.name } : { secretId: secret.arn },
        responseElements: eventName === 'CreateSecret' ? { arn: secret.arn } : null,
      },
    };
    if (kind === 'event lost') {
      return;
    }
    const delay = latency * (kind === 'event delayed' ? 2 * MINUTE : 1000);
    for (let i = kind === 'event duplicated' ? 2 : 1; i > 0; i -= 1) {
      this.#put(event, delay * i);
    }
    const arrival = this.#clock.now + delay;
    if (arrival < (this.#arrivals.get(secret) ?? 0)) {
      this.#faults.count('events out of order');
    }
    this.#arrivals.set(secret, arrival);
  }

  /** Sends the CloudFormation event of a deployment. */
  stackDeployed(stackId: string): void {
    this.#put(
      {
        source: 'aws.cloudformation',
        'detail-type': 'CloudFormation Stack Status Change',
        detail: { 'stack-id': stackId, 'status-details': { status: 'UPDATE_COMPLETE' } },
      },
      1000,
    );
  }

  #put(detail: object, delay: number): void {
    const event = { version: '0', account: ACCOUNT, region: REGION, resources: [], ...detail };
    for (const matches of this.#patterns) {
      if (matches(event)) {
        this.#deliverAfter(delay, event);
      }
    }
  }

  #deliverAfter(delay: number, event: object): void {
    this.#clock.at(this.#clock.now + delay, () => {
      this.#deliver(event);
    });
  }
}

function periodOf(expression: string | undefined): number {
  if (expression === undefined) {
    return Infinity;
  }
  const [, number = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const period = Number(number) * (UNITS[unit] ?? NaN);
  if (Number.isNaN(period)) {
    throw new Error(
      `The simulation does not support the schedule ${expression} of a rule; it supports rate(N minutes|hours|days).`,
    );
  }
  return period;
}
