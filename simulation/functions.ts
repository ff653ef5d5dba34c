import { z } from 'zod';
import type { Template } from '../local/assembly/template.ts';
import type { Invariants } from './checker/invariants.ts';
import { resultText } from './history.ts';
import type { Clock } from './runtime/clock.ts';
import type { Episodes } from './runtime/episodes.ts';
import type { Answer, Call } from './runtime/fake-https.ts';
import type { Faults } from './runtime/faults.ts';
import { answerCall, type AwsServices } from './services/aws-api.ts';
import { CallFaults } from './services/call-faults.ts';
import { Concurrency } from './services/lambda/concurrency.ts';
import type { Invocation, Result, World } from './services/lambda/invocation.ts';
import { functionsOf, functionTitled, type SimulatedFunction } from './services/lambda/lambda-function.ts';
import type { ObjectStore } from './services/object-store.ts';
import type { SecretsManager } from './services/secrets-manager.ts';
import { sentEvents, sentMessage } from './services/sent.ts';
import type { StepFunctions } from './services/step-functions/step-functions.ts';
import type { Secret } from './workload/secret-history.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Lambda waits for a second first, and for up to five minutes later. */
const THROTTLED_EVENT_PAUSE = 10 * SECOND;

const eventSchema = z.object({
  detail: z.object({
    eventSource: z.literal('secretsmanager.amazonaws.com'),
    requestParameters: z.object({ secretId: z.string().optional(), name: z.string().optional() }),
  }),
});

/** What functions call, and what learns of it. */
export interface FunctionsContext {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly episodes: Episodes;
  readonly runtimeUpdate: number;
  readonly objectStore: ObjectStore;
  readonly secretsManager: SecretsManager;
  /** It is made after the functions, which it invokes. */
  stepFunctions(): StepFunctions;
  /** They are made after the functions, whose settings they know. */
  invariants(): Invariants;
  random(): number;
  /** Adds a line to the history. */
  readonly record: (text: string) => void;
}

/** The functions of a world: invokes them, serves their calls with faults, and has the checker judge both. */
export class Functions implements World {
  readonly clock: Clock;
  readonly runtimeUpdate: number;
  readonly concurrency = new Concurrency();
  readonly figures = { events: 0, scans: 0, continuations: 0, checks: 0, calls: new Map<string, number>() };
  readonly all: readonly SimulatedFunction[];
  readonly scanner: SimulatedFunction;
  /** The function that checks whether the dumps are there. */
  readonly freshness: SimulatedFunction;
  readonly #context: FunctionsContext;
  readonly #callFaults: CallFaults;

  constructor(template: Template, context: FunctionsContext) {
    this.clock = context.clock;
    this.runtimeUpdate = context.runtimeUpdate;
    this.all = functionsOf(template);
    this.scanner = functionTitled(this.all, 'Scanner');
    this.freshness = functionTitled(this.all, 'Freshness');
    this.#context = context;
    this.#callFaults = new CallFaults(context.clock, context.faults);
  }

  random(): number {
    return this.#context.random();
  }

  /** Handles a request of a function. */
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void {
    const { operation } = call;
    const { calls } = this.figures;
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    if (invocation.function === this.scanner && this.#context.episodes.isOn('scans broken')) {
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
    const { objectStore, secretsManager, record } = this.#context;
    const stepFunctions = this.#context.stepFunctions();
    return {
      objectStore,
      describeSecret: (request) => secretsManager.describeSecret(request),
      listSecrets: (request) => {
        const page = secretsManager.listSecrets(request);
        invocation.hasUnreadPages = page.NextToken !== undefined;
        invocation.pages.set(JSON.stringify(input.NextToken ?? ''), page.SecretList);
        return page;
      },
      startExecution: (request) => stepFunctions.startExecution(request),
      listExecutions: (request) => stepFunctions.listExecutions(request),
      describeExecution: (request) => stepFunctions.describeExecution(request),
      invoke: (event) => {
        record('a scan continues in another invocation');
        this.figures.continuations += 1;
        this.#context.invariants().scans.continue(invocation, event);
        void this.invokeAsynchronously(this.scanner, event);
      },
      publish: (request) => {
        invocation.messages.push(sentMessage(request));
      },
      putEvents: (request) => {
        const events = sentEvents(request);
        record(`this is reported: ${events.map(({ detail }) => JSON.stringify(detail)).join(', ')}`);
        invocation.events.set(id, events);
        return { FailedEntryCount: 0, Entries: events.map(() => ({ EventId: 'simulated' })) };
      },
    };
  }

  async invoke(
    called: SimulatedFunction,
    event: unknown,
  ): Promise<{ readonly result: Result; readonly invocation: Invocation }> {
    if (called === this.scanner) {
      return await this.#scan(event);
    }
    return called === this.freshness ? await this.#check(event) : await this.#run(called, event);
  }

  /** An event names a secret, and the Scanner reads no other, or it is about all. */
  async #scan(event: unknown) {
    const invariants = this.#context.invariants();
    const secret = this.#secretNamedBy(event);
    if (secret === undefined) {
      invariants.scans.begin(event, this.clock.now);
    }
    return await this.#run(this.scanner, event, (invocation, result) => {
      if (secret === undefined) {
        this.figures.scans += 1;
        this.#context.record(`a scan ends: ${resultText(result)}`);
        invariants.functions.onScanned(invocation, result);
      } else {
        this.figures.events += 1;
        this.#context.record(`the event of secret ${secret.index} is handled: ${resultText(result)}`);
        invariants.functions.onEventHandled(invocation, result, secret);
      }
    });
  }

  async #check(event: unknown) {
    const { reports } = this.#context.invariants();
    const check = reports.begin();
    return await this.#run(this.freshness, event, (invocation, result) => {
      this.figures.checks += 1;
      this.#context.record(`a check ends: ${resultText(result)}`);
      reports.onChecked(check, invocation, result);
    });
  }

  /** @param judge what this function in particular must have done */
  async #run(
    called: SimulatedFunction,
    event: unknown,
    judge: (invocation: Invocation, result: Result) => void = () => undefined,
  ) {
    const { invocation, result } = await called.invoke(this, event);
    judge(invocation, result);
    this.#context.invariants().functions.onInvoked(invocation, result);
    return { invocation, result };
  }

  #secretNamedBy(event: unknown): Secret | undefined {
    const { secretId, name } = eventSchema.safeParse(event).data?.detail.requestParameters ?? {};
    return this.#context.secretsManager.find(secretId ?? name ?? '');
  }

  /**
   * Lambda retries after one and two minutes. An event that still fails goes to the dead-letter queue. While the
   * account runs as many functions as it may, Lambda keeps the event.
   */
  async invokeAsynchronously(called: SimulatedFunction, event: unknown): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      while (!this.concurrency.take()) {
        await this.clock.sleep(THROTTLED_EVENT_PAUSE);
      }
      const { result } = await this.invoke(called, event);
      this.concurrency.release();
      if (result.kind === 'returned' || attempt === called.retries) {
        return;
      }
      await this.clock.sleep((attempt + 1) * MINUTE);
    }
  }
}
