import { z } from 'zod';
import { Template } from '../local/assembly/template.ts';
import { Invariants } from './checker/invariants.ts';
import { isMatch, type ViolationPattern } from './checker/violations.ts';
import { type HistoryEntry, historyLines, resultText } from './history.ts';
import { Clock } from './runtime/clock.ts';
import { Episodes } from './runtime/episodes.ts';
import type { Answer, Call } from './runtime/fake-https.ts';
import { Faults, type Probabilities } from './runtime/faults.ts';
import { Random } from './runtime/random.ts';
import { iso } from './runtime/time.ts';
import { answerCall, type AwsServices } from './services/aws-api.ts';
import { Batch } from './services/batch.ts';
import { CallFaults } from './services/call-faults.ts';
import { Concurrency } from './services/concurrency.ts';
import { dumpBucketOf, leaveDump } from './services/dump-program.ts';
import { EventBridge } from './services/event-bridge.ts';
import type { Execution } from './services/execution.ts';
import { heartbeatOf } from './services/heartbeat-alarm.ts';
import { type Invocation, type Result, SimulatedFunction } from './services/lambda-function.ts';
import { ObjectStore } from './services/object-store.ts';
import { SecretsManager } from './services/secrets-manager.ts';
import { sentEvents, sentMessage } from './services/sent.ts';
import { StepFunctions } from './services/step-functions/step-functions.ts';
import { type HistoryOptions, type Secret, secretHistory, type Span } from './workload/secret-history.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Without a periodic rule, invariants assume this scan period. */
const DEFAULT_PERIOD = 60 * MINUTE;

/** Lambda waits for a second first, and for up to five minutes later. */
const THROTTLED_EVENT_PAUSE = 10 * SECOND;

const DEPLOYMENT_FAULTS = { deployment: 1 / 40 };
const STOP_FAULTS = { 'all stopped by hand': 1 / 90 };

const eventSchema = z.object({
  detail: z.object({
    eventSource: z.literal('secretsmanager.amazonaws.com'),
    requestParameters: z.object({ secretId: z.string().optional(), name: z.string().optional() }),
  }),
});

export interface WorldOptions extends HistoryOptions {
  readonly cdkOut: string;
  readonly seed: string;
  /** Numbers of the secrets, whose histories are generated from the seed, or the secrets themselves. */
  readonly secrets: readonly (number | Secret)[];
  /** Ends the world at the first violation that matches; by default it lives through its whole span. */
  readonly until?: ViolationPattern;
  /** Whether to record actions for {@link SimulatedWorld.history}. */
  readonly recordHistory: boolean;
}

/** The synthesized stack in a simulated account. */
export class SimulatedWorld {
  readonly clock: Clock;
  readonly runtimeUpdate: number;
  readonly faults: Faults;
  readonly secrets: readonly Secret[];
  readonly invariants: Invariants;
  /** Called when an execution has ended. */
  onEnded: (execution: Execution) => void = () => undefined;
  readonly figures = { runs: 0, events: 0, scans: 0, continuations: 0, checks: 0, calls: new Map<string, number>() };
  readonly #random: Random;
  readonly #span: Span;
  readonly #template: Template;
  readonly #functions: readonly SimulatedFunction[];
  readonly #scanner: SimulatedFunction;
  /** The function that checks whether the dumps are there. */
  readonly #freshness: SimulatedFunction;
  readonly #episodes: Episodes;
  readonly #eventBridge: EventBridge;
  readonly #secretsManager: SecretsManager;
  readonly #objectStore: ObjectStore;
  readonly #dumpBucket: string;
  readonly #batch: Batch;
  readonly #concurrency = new Concurrency();
  readonly #stepFunctions: StepFunctions;
  readonly #callFaults: CallFaults;
  readonly #recordHistory: boolean;
  readonly #actions: HistoryEntry[] = [];

  constructor({ cdkOut, seed, secrets, until, recordHistory, ...historyOptions }: WorldOptions) {
    const { span, keep } = historyOptions;
    this.#recordHistory = recordHistory;
    this.#span = span;
    this.#random = new Random(seed);
    this.#template = new Template(cdkOut);
    this.clock = new Clock(span.from);
    this.runtimeUpdate = this.#random.integer('runtime update', span.from, span.to);
    this.faults = new Faults(this.clock, this.#random, keep);
    this.#episodes = new Episodes(this.clock, this.faults, this.#random);
    this.#callFaults = new CallFaults(this.clock, this.faults);
    this.secrets = secrets.map((secret) =>
      typeof secret === 'number' ? secretHistory(secret, this.#random, historyOptions) : secret,
    );
    this.#functions = this.#template
      .ofType('AWS::Lambda::Function')
      .map((resource) => new SimulatedFunction(this.#template, resource));
    this.#scanner = this.#functionNamed('Scanner');
    this.#freshness = this.#functionNamed('Freshness');
    this.#eventBridge = new EventBridge(this.#template, {
      clock: this.clock,
      faults: this.faults,
      functions: this.#functions,
      isDisabled: (target) => this.#isDisabled(target),
      deliver: (target, event) => void this.#invokeAsynchronously(target, event),
    });
    this.#objectStore = new ObjectStore(this.#template, this.clock);
    this.#dumpBucket = dumpBucketOf(this.#template);
    this.#secretsManager = new SecretsManager(this.secrets, this.clock, this.#random, this.faults);
    this.#batch = new Batch(this.clock, this.faults, this.#episodes);
    const period = this.#eventBridge.periodOf(this.#scanner);
    this.invariants = new Invariants(this.secrets, {
      clock: this.clock,
      period: Number.isFinite(period) ? period : DEFAULT_PERIOD,
      overdueAfter: Number(this.#freshness.variables.OVERDUE_AFTER_MINUTES) * MINUTE,
      heartbeat: heartbeatOf(this.#template, this.#freshness.name),
      scanOutages: {
        wereDisabled: (from, to) => this.#episodes.wasOn(from, to, 'rules disabled', 'scans disabled'),
        wereBroken: (from, to) => this.#episodes.wasOn(from, to, 'scans broken'),
      },
      span,
      runtimeUpdate: this.runtimeUpdate,
      onViolation: (violation) => {
        if (until !== undefined && isMatch(violation, until)) {
          this.clock.stop();
        }
      },
    });
    this.#stepFunctions = this.#makeStepFunctions();
  }

  #makeStepFunctions(): StepFunctions {
    return new StepFunctions(this.#template, {
      clock: this.clock,
      faults: this.faults,
      random: () => this.random(),
      secrets: this.#secretsManager,
      batch: this.#batch,
      concurrency: this.#concurrency,
      functions: this.#functions,
      invoke: (called, event) => this.#invoke(called, event),
      onStarted: (execution) => {
        const { purpose, secret, when } = execution;
        this.#record(`an execution for the ${purpose} of secret ${secret.index} at ${iso(when)} is started`);
        this.invariants.onStarted(execution);
      },
      onSubmitted: (execution, job) => {
        const { purpose, secret, when } = execution;
        this.#record(`the ${purpose} of secret ${secret.index} for ${iso(when)} is started`);
        this.invariants.executions.onSubmitted(execution, job);
      },
      onJobDone: (execution) => {
        if (execution.purpose === 'dump') {
          leaveDump(this.#objectStore, this.#dumpBucket, execution, this.clock.now);
          this.invariants.reports.onDumped(execution);
        }
      },
      onEnded: (execution) => {
        this.figures.runs += 1;
        const { purpose, secret, when, end, outcome = 'not compared' } = execution;
        const name = `the execution for the ${purpose} of secret ${secret.index} at ${iso(when)}`;
        this.#record(`${name} ends (${outcome}): ${JSON.stringify(end)}`);
        this.invariants.onEnded(execution);
        this.onEnded(execution);
      },
    });
  }

  /** Constant for a minute, so that leaving something out of a history does not change other pauses. */
  random(): number {
    return this.#random.number(`random|${Math.floor(this.clock.now / MINUTE)}`);
  }

  async run(): Promise<void> {
    for (const secret of this.secrets) {
      for (const event of secret.events) {
        this.clock.at(event.time, () => {
          if (event.eventName !== undefined) {
            this.#eventBridge.secretChanged(secret, event);
          }
        });
      }
    }
    this.#eventBridge.startPeriodicRules(this.#span);
    this.#episodes.schedule(this.#span);
    this.#daily('deployment', DEPLOYMENT_FAULTS, () => {
      this.#batch.deploy();
      this.#stepFunctions.deploy();
      this.#eventBridge.stackDeployed(this.#template.stackId);
    });
    this.#daily('stop all', STOP_FAULTS, () => {
      this.#stepFunctions.stopAll();
    });
    await this.clock.run(this.#span.to);
  }

  /** Handles a request of a function. */
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void {
    const { operation } = call;
    this.figures.calls.set(operation, (this.figures.calls.get(operation) ?? 0) + 1);
    if (invocation.function === this.#scanner && this.#episodes.isOn('scans broken')) {
      crash();
      return;
    }
    const serve = (): Answer => {
      invocation.wrote ||= operation === 'PutObject';
      return answerCall(this.#servicesFor(invocation, call), call);
    };
    this.#callFaults.pass(invocation, call, { serve, answer, crash });
  }

  #servicesFor(invocation: Invocation, { id, input }: Call): AwsServices {
    return {
      objectStore: this.#objectStore,
      describeSecret: (request) => this.#secretsManager.describeSecret(request),
      listSecrets: (request) => {
        const page = this.#secretsManager.listSecrets(request);
        invocation.hasUnreadPages = page.NextToken !== undefined;
        invocation.pages.set(JSON.stringify(input.NextToken ?? ''), page.SecretList);
        return page;
      },
      startExecution: (request) => this.#stepFunctions.startExecution(request),
      listExecutions: (request) => this.#stepFunctions.listExecutions(request),
      describeExecution: (request) => this.#stepFunctions.describeExecution(request),
      invoke: (event) => {
        this.#record('a scan continues in another invocation');
        this.figures.continuations += 1;
        this.invariants.scans.continue(invocation, event);
        void this.#invokeAsynchronously(this.#scanner, event);
      },
      publish: (request) => {
        invocation.messages.push(sentMessage(request));
      },
      putEvents: (request) => {
        const events = sentEvents(request);
        this.#record(`this is reported: ${events.map(({ detail }) => JSON.stringify(detail)).join(', ')}`);
        invocation.events.set(id, events);
        return { FailedEntryCount: 0, Entries: events.map(() => ({ EventId: 'simulated' })) };
      },
    };
  }

  async #invoke(called: SimulatedFunction, event: unknown): Promise<{ result: Result; invocation: Invocation }> {
    const isScanner = called === this.#scanner;
    const secret = isScanner ? this.#secretNamedBy(event) : undefined;
    if (isScanner && secret === undefined) {
      this.invariants.scans.begin(event, this.clock.now);
    }
    const check = called === this.#freshness ? this.invariants.reports.begin() : undefined;
    return await new Promise((resolve) => {
      void called.invoke(this, event, (invocation, result) => {
        if (secret !== undefined) {
          this.figures.events += 1;
          this.#record(`the event of secret ${secret.index} is handled: ${resultText(result)}`);
          this.invariants.functions.onEventHandled(invocation, result, secret);
        } else if (isScanner) {
          this.figures.scans += 1;
          this.#record(`a scan ends: ${resultText(result)}`);
          this.invariants.functions.onScanned(invocation, result);
        }
        if (check !== undefined) {
          this.figures.checks += 1;
          this.#record(`a check ends: ${resultText(result)}`);
          this.invariants.reports.onChecked(check, invocation, result);
        }
        this.invariants.functions.onInvoked(invocation, result);
        resolve({ result, invocation });
      });
    });
  }

  /** The secret that an event names. The Scanner then reads no other. */
  #secretNamedBy(event: unknown): Secret | undefined {
    const { secretId, name } = eventSchema.safeParse(event).data?.detail.requestParameters ?? {};
    return this.#secretsManager.find(secretId ?? name ?? '');
  }

  /**
   * Lambda retries after one and two minutes. An event that still fails goes to the dead-letter queue. While the
   * account runs as many functions as it may, Lambda keeps the event.
   */
  async #invokeAsynchronously(called: SimulatedFunction, event: unknown): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      while (!this.#concurrency.take()) {
        await this.clock.sleep(THROTTLED_EVENT_PAUSE);
      }
      const { result } = await this.#invoke(called, event);
      this.#concurrency.release();
      if (result.kind === 'returned' || attempt === called.retries) {
        return;
      }
      await this.clock.sleep((attempt + 1) * MINUTE);
    }
  }

  /** Everything that happened, in order. Actions of the stack are included only if they were recorded. */
  history(): readonly string[] {
    return historyLines(this.secrets, this.faults.injected, this.#actions, this.invariants.violations);
  }

  #record(text: string): void {
    if (this.#recordHistory) {
      this.#actions.push({ time: this.clock.now, text });
    }
  }

  /** Each day something may happen at a random time. */
  #daily(name: string, probabilities: Probabilities, act: () => void, day = 0): void {
    const time = this.#span.from + day * DAY + this.#random.integer(`${name}|${day}`, 0, DAY - 1);
    if (time >= this.#span.to) {
      return;
    }
    this.clock.at(time, () => {
      if (this.faults.decide(name, probabilities).kind !== undefined) {
        act();
      }
      this.#daily(name, probabilities, act, day + 1);
    });
  }

  #isDisabled(target: SimulatedFunction): boolean {
    return this.#episodes.isOn('rules disabled') || (target === this.#scanner && this.#episodes.isOn('scans disabled'));
  }

  #functionNamed(name: string): SimulatedFunction {
    const found = this.#functions.find((one) => one.name.endsWith(`-${name}-Function`));
    if (found === undefined) {
      throw new Error(`The template has no function ${name}/Function.`);
    }
    return found;
  }
}
