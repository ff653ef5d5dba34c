import { Template } from '../local/assembly/template.ts';
import { Invariants } from './checker/invariants.ts';
import { isMatch, type ViolationPattern } from './checker/violations.ts';
import { Functions } from './functions.ts';
import { type HistoryEntry, historyLines } from './history.ts';
import { Clock } from './runtime/clock.ts';
import { Episodes } from './runtime/episodes.ts';
import { Faults, type Probabilities } from './runtime/faults.ts';
import { Random } from './runtime/random.ts';
import { iso } from './runtime/time.ts';
import { Batch } from './services/batch.ts';
import { dumpBucketOf, leaveDump, leaveEvidence } from './services/dump-program.ts';
import { EventBridge } from './services/event-bridge.ts';
import type { Execution } from './services/execution.ts';
import { heartbeatOf } from './services/heartbeat-alarm.ts';
import type { SimulatedFunction } from './services/lambda/lambda-function.ts';
import { ObjectStore } from './services/object-store.ts';
import { SecretsManager } from './services/secrets-manager.ts';
import { StepFunctions } from './services/step-functions/step-functions.ts';
import { type HistoryOptions, type Secret, secretHistory, type Span } from './workload/secret-history.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Without a periodic rule, invariants assume this scan period. */
const DEFAULT_PERIOD = 60 * MINUTE;

const DEPLOYMENT_FAULTS = { deployment: 1 / 40 };
const STOP_FAULTS = { 'all stopped by hand': 1 / 90 };

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
  /** How many executions have ended. */
  runs = 0;
  readonly functions: Functions;
  readonly #random: Random;
  readonly #span: Span;
  readonly #template: Template;
  readonly #episodes: Episodes;
  readonly #eventBridge: EventBridge;
  readonly #secretsManager: SecretsManager;
  readonly #objectStore: ObjectStore;
  readonly #dumpBucket: string;
  readonly #batch: Batch;
  readonly #stepFunctions: StepFunctions;
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
    this.secrets = secrets.map((secret) =>
      typeof secret === 'number' ? secretHistory(secret, this.#random, historyOptions) : secret,
    );
    this.#objectStore = new ObjectStore(this.#template, this.clock);
    this.#dumpBucket = dumpBucketOf(this.#template);
    this.#secretsManager = new SecretsManager(this.secrets, this.clock, this.#random, this.faults);
    this.#batch = new Batch(this.clock, this.faults, this.#episodes);
    this.functions = this.#makeFunctions();
    this.#eventBridge = new EventBridge(this.#template, {
      clock: this.clock,
      faults: this.faults,
      functions: this.functions.all,
      isDisabled: (target) => this.#isDisabled(target),
      deliver: (target, event) => void this.functions.invokeAsynchronously(target, event),
    });
    const { scanner, freshness } = this.functions;
    const period = this.#eventBridge.periodOf(scanner);
    this.invariants = new Invariants(this.secrets, {
      clock: this.clock,
      period: Number.isFinite(period) ? period : DEFAULT_PERIOD,
      overdueAfter: Number(freshness.variables.OVERDUE_AFTER_MINUTES) * MINUTE,
      heartbeat: heartbeatOf(this.#template, freshness.name),
      scanOutages: {
        wereDisabled: (from, to) => this.#episodes.wasOn(from, to, 'rules disabled', 'scans disabled'),
        wereBroken: (from, to) => this.#episodes.wasOn(from, to, 'scans broken'),
      },
      checksWereDisabled: (from, to) => this.#episodes.wasOn(from, to, 'rules disabled'),
      status: () => String(this.#objectStore.read(freshness.variables.STATE_BUCKET ?? '', 'status.json')),
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

  #makeFunctions(): Functions {
    return new Functions(this.#template, {
      clock: this.clock,
      faults: this.faults,
      episodes: this.#episodes,
      runtimeUpdate: this.runtimeUpdate,
      objectStore: this.#objectStore,
      secretsManager: this.#secretsManager,
      stepFunctions: () => this.#stepFunctions,
      invariants: () => this.invariants,
      random: () => this.random(),
      record: (text) => {
        this.#record(text);
      },
    });
  }

  #makeStepFunctions(): StepFunctions {
    return new StepFunctions(this.#template, {
      clock: this.clock,
      faults: this.faults,
      random: () => this.random(),
      secrets: this.#secretsManager,
      batch: this.#batch,
      concurrency: this.functions.concurrency,
      functions: this.functions.all,
      invoke: (called, event) => this.functions.invoke(called, event),
      onStarted: (execution) => {
        const { purpose, secret, when } = execution;
        this.#record(`an execution for the ${purpose} of secret ${secret.index} at ${iso(when)} is started`);
        this.invariants.onStarted(execution);
      },
      onPreflightStarted: (secret) => {
        this.invariants.functions.onPreflightStarted(secret);
      },
      onSubmitted: (execution, job) => {
        const { purpose, secret, when } = execution;
        this.#record(`the ${purpose} of secret ${secret.index} for ${iso(when)} is started`);
        this.invariants.executions.onSubmitted(execution, job);
      },
      onJobDone: (execution) => {
        const leave = execution.purpose === 'dump' ? leaveDump : leaveEvidence;
        leave(this.#objectStore, this.#dumpBucket, execution, this.clock.now);
        this.invariants.reports.onDone(execution);
      },
      onEnded: (execution) => {
        this.runs += 1;
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
    return (
      this.#episodes.isOn('rules disabled') ||
      (target === this.functions.scanner && this.#episodes.isOn('scans disabled'))
    );
  }
}
