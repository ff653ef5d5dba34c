import { z } from 'zod';
import { ACCOUNT, REGION } from '../../local/assembly/account.ts';
import type { Template } from '../../local/assembly/template.ts';
import { compilePattern, type Pattern } from '../../local/services/events/event-pattern.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Faults } from '../runtime/faults.ts';
import type { Secret, SecretEvent, Span } from '../workload/secret-history.ts';
import type { SimulatedFunction } from './lambda/lambda-function.ts';

const MINUTE = 60_000;
const UNITS: Readonly<Record<string, number>> = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE };

const TAG_EVENT_FAULTS = { 'event lost': 0.1, 'event duplicated': 0.1, 'event delayed': 0.1 };
const PERIOD_FAULTS = { 'periodic event duplicated': 0.005 };

const ruleSchema = z.object({
  EventPattern: z.unknown().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.string().default('ENABLED'),
  Targets: z.array(z.object({ Arn: z.string() })).default([]),
});

interface Rule {
  readonly matches: Pattern;
  /** In milliseconds; infinite if the rule is not periodic. */
  readonly period: number;
  readonly targets: readonly SimulatedFunction[];
}

export interface EventBridgeContext {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly functions: readonly SimulatedFunction[];
  /** Whether the rules that invoke a function are disabled at the moment. */
  isDisabled(target: SimulatedFunction): boolean;
  deliver(target: SimulatedFunction, event: unknown): void;
}

/** EventBridge, with the rules of the template. */
export class EventBridge {
  readonly #rules: readonly Rule[];
  readonly #context: EventBridgeContext;
  /** When the latest event of a secret arrives. */
  readonly #arrivals = new Map<Secret, number>();

  constructor(template: Template, context: EventBridgeContext) {
    this.#context = context;
    this.#rules = template
      .ofType('AWS::Events::Rule')
      .map((resource) => template.properties(resource, ruleSchema))
      .filter(({ State }) => State === 'ENABLED')
      .map(({ EventPattern, ScheduleExpression, Targets }) => ({
        matches: EventPattern === undefined ? () => false : compilePattern(EventPattern),
        period: periodOf(ScheduleExpression),
        targets: context.functions.filter(({ arn }) => Targets.some(({ Arn }) => Arn === arn)),
      }));
  }

  /** The shortest period of a rule that invokes a function, in milliseconds; infinite if there is none. */
  periodOf(target: SimulatedFunction): number {
    return Math.min(...this.#rules.filter(({ targets }) => targets.includes(target)).map(({ period }) => period));
  }

  /** Starts the periodic rules. */
  startPeriodicRules(span: Span): void {
    const { clock, faults } = this.#context;
    for (const { period, targets } of this.#rules.filter((rule) => Number.isFinite(rule.period))) {
      const trigger = (): void => {
        const { kind, latency } = faults.decide('period', PERIOD_FAULTS);
        const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
        for (let i = kind === undefined ? 1 : 2; i > 0; i -= 1) {
          this.#deliverAfter(latency * 500 * i, targets, event);
        }
        if (clock.now + period < span.to) {
          clock.at(clock.now + period, trigger);
        }
      };
      clock.at(span.from, trigger);
    }
  }

  /** Sends the CloudTrail event of a change to a secret, unless it is lost. */
  secretChanged(secret: Secret, { id, eventName }: SecretEvent): void {
    const { kind, latency } = this.#context.faults.decide(`event|${id}`, TAG_EVENT_FAULTS);
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
    const arrival = this.#context.clock.now + delay;
    if (arrival < (this.#arrivals.get(secret) ?? 0)) {
      this.#context.faults.count('events out of order');
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
    for (const { targets } of this.#rules.filter(({ matches }) => matches(event))) {
      this.#deliverAfter(delay, targets, event);
    }
  }

  #deliverAfter(delay: number, targets: readonly SimulatedFunction[], event: object): void {
    const { clock } = this.#context;
    const enabled = targets.filter((target) => !this.#context.isDisabled(target));
    clock.at(clock.now + delay, () => {
      for (const target of enabled) {
        this.#context.deliver(target, event);
      }
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
