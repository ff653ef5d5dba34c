import { z } from 'zod';
import { Template } from '../local/assembly/template.ts';
import { Rules } from './checker/invariants.ts';
import { Clock } from './runtime/clock.ts';
import type { Answer, Call } from './runtime/fake-https.ts';
import { Faults } from './runtime/faults.ts';
import { Draw } from './runtime/random.ts';
import { iso } from './runtime/time.ts';
import { Batch } from './services/batch.ts';
import { Events } from './services/event-bridge.ts';
import { type Invocation, type Result, SimulatedFunction } from './services/lambda-function.ts';
import { ObjectStore } from './services/object-store.ts';
import { SecretsManager } from './services/secrets-manager.ts';
import { answerOf } from './services/service-error.ts';
import { StepFunctions } from './services/step-functions.ts';
import { type LifeOptions, type Secret, secretLife, type Span } from './workload/secret-history.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Characters of what a function says that a history shows. */
const LONGEST_TOLD = 400;

const CALL_FAULTS = {
  throttled: 0.02,
  'server error': 0.01,
  'answer lost': 0.01,
  'crash before': 0.003,
  'crash after': 0.003,
  'no answer': 0.001,
  'slow answer': 0.002,
};
/** Too long for Hash and Reschedule; for the Scanner so long that it has to go on in another invocation. */
const SLOW = 13.5 * MINUTE;
/** A slow listing makes a scan go on in another invocation. */
const LISTING_FAULTS = { ...CALL_FAULTS, 'slow answer': 0.02 };
const CALL_OUTAGE = { throttled: 0.9, 'server error': 0.1 };
const DEPLOYMENT_FAULTS = { deployment: 1 / 40 };

/** Errors that a function may well be prepared for. */
const EXPECTED = ['ResourceNotFoundException', 'ExecutionAlreadyExists', 'NoSuchKey'];

const eventSchema = z.object({
  detail: z.object({
    eventSource: z.literal('secretsmanager.amazonaws.com'),
    requestParameters: z.object({ secretId: z.string().optional(), name: z.string().optional() }),
  }),
});

export interface WorldOptions extends LifeOptions {
  readonly cdkOut: string;
  readonly seed: string;
  /** Numbers of the secrets. */
  readonly secrets: readonly number[];
}

/** The synthesized stack in a simulated account. */
export class SimulatedWorld {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly secrets: readonly Secret[];
  readonly rules: Rules;
  readonly figures = { executions: 0, events: 0, scans: 0, continuations: 0, calls: new Map<string, number>() };
  readonly #draw: Draw;
  readonly #span: Span;
  readonly #template: Template;
  readonly #functions: readonly SimulatedFunction[];
  readonly #scanner: SimulatedFunction;
  readonly #events: Events;
  readonly #secretsManager: SecretsManager;
  readonly #objectStore = new ObjectStore();
  readonly #batch: Batch;
  readonly #stepFunctions: StepFunctions;
  readonly #tells: boolean;
  readonly #told: { readonly time: number; readonly what: string }[] = [];

  /** @param tell whether to keep what happens, for {@link SimulatedWorld.history} */
  constructor({ cdkOut, seed, secrets, ...life }: WorldOptions, tell = false) {
    const { span, keep } = life;
    this.#tells = tell;
    this.#span = span;
    this.#draw = new Draw(seed);
    this.#template = new Template(cdkOut);
    this.clock = new Clock(span.from);
    this.faults = new Faults(this.clock, this.#draw, keep);
    this.secrets = secrets.map((index) => secretLife(index, this.#draw, life));
    this.#functions = this.#template
      .ofType('AWS::Lambda::Function')
      .map((resource) => new SimulatedFunction(this.#template, resource));
    this.#scanner = this.#target();
    this.#events = new Events(this.#template, this.#scanner.arn, this.clock, this.faults, (event) => {
      void this.#invokeAsynchronously(event);
    });
    this.#secretsManager = new SecretsManager(this.secrets, this.clock, this.#draw, this.faults);
    this.#batch = new Batch(this.clock, this.faults);
    const period = Number.isFinite(this.#events.period) ? this.#events.period : 60 * MINUTE;
    this.rules = new Rules(this.secrets, this.clock, period, span);
    this.#stepFunctions = new StepFunctions(this.#template, {
      clock: this.clock,
      faults: this.faults,
      random: () => this.random(),
      secrets: this.#secretsManager,
      batch: this.#batch,
      functions: this.#functions,
      invoke: (called, event) => this.#invoke(called, event),
      started: (execution) => {
        this.#tell(`an execution for secret ${execution.secret.index} at ${iso(execution.when)} is started`);
        this.rules.started(execution);
      },
      submitted: (execution, told) => {
        this.#tell(`the dump of secret ${execution.secret.index} for ${iso(execution.when)} is started`);
        this.rules.submitted(execution, told);
      },
      ended: (execution) => {
        this.figures.executions += 1;
        const { secret, when, end, outcome = 'not compared' } = execution;
        this.#tell(
          `the execution for secret ${secret.index} at ${iso(when)} ends (${outcome}): ${JSON.stringify(end)}`,
        );
        this.rules.ended(execution);
      },
    });
  }

  /** The same for a minute, so that what is left out of a history does not change the pauses between other things. */
  random(): number {
    return this.#draw.number(`random|${Math.floor(this.clock.now / MINUTE)}`);
  }

  async run(): Promise<void> {
    for (const secret of this.secrets) {
      for (const event of secret.events) {
        this.clock.at(event.time, () => {
          if (event.eventName !== undefined) {
            this.#events.changed(secret, event);
          }
        });
      }
    }
    this.#events.startPeriod(this.#span);
    this.#maybeDeploy(0);
    await this.clock.run(this.#span.to);
  }

  /** What the world does about a request of a function. */
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void {
    const { operation, id } = call;
    this.figures.calls.set(operation, (this.figures.calls.get(operation) ?? 0) + 1);
    const subject = subjectOf(call);
    const site = `${invocation.function.name}|${operation}|${subject}`;
    const outage = this.faults.outage(operation);
    const { kind, latency } = this.faults.at(
      site,
      outage ? CALL_OUTAGE : operation === 'ListSecrets' ? LISTING_FAULTS : CALL_FAULTS,
    );
    if (kind !== undefined && (outage || kind === 'no answer' || kind === 'slow answer')) {
      invocation.hindered = true;
    }
    const record = { operation, subject, failed: true };
    invocation.calls.set(id, record);
    this.clock.at(this.clock.now + latency / 2, () => {
      if (kind === 'crash before') {
        crash();
      }
      if (kind === 'crash before' || invocation.killed) {
        return;
      }
      const given = this.#answer(invocation, call, kind);
      this.clock.at(this.clock.now + (kind === 'slow answer' ? SLOW : latency / 2), () => {
        if (kind === 'crash after') {
          crash();
        }
        if (kind === 'crash after' || kind === 'no answer') {
          return;
        }
        record.failed = isFailure(given);
        answer(given);
      });
    });
  }

  #answer(invocation: Invocation, call: Call, kind: string | undefined): Answer {
    if (kind === 'throttled') {
      return refusal(call, 'Throttling', 429);
    }
    if (kind === 'server error') {
      return refusal(call, 'InternalError', 500);
    }
    const given = this.#serve(invocation, call);
    return kind === 'answer lost' ? { broken: 'socket hang up' } : given;
  }

  #serve(invocation: Invocation, { operation, input, body }: Call): Answer {
    switch (operation) {
      case 'DescribeSecret':
        return answerOf(() => this.#secretsManager.describeSecret(input));
      case 'ListSecrets':
        return answerOf(() => {
          const page = this.#secretsManager.listSecrets(input);
          invocation.unread = page.NextToken !== undefined;
          return page;
        });
      case 'StartExecution':
        return answerOf(() => this.#stepFunctions.startExecution(input));
      case 'ListExecutions':
        return answerOf(() => this.#stepFunctions.listExecutions(input));
      case 'GetObject':
        return this.#objectStore.getObject(String(input.path));
      case 'PutObject':
        return this.#objectStore.putObject(String(input.path), body);
      case 'Invoke':
        this.#goOn(invocation, z.looseObject({}).parse(JSON.parse(body.toString())));
        return { status: 202, body: '', type: 'application/json' };
      default:
        throw new Error(`A function calls ${operation}, which the simulation does not know.`);
    }
  }

  #goOn(invocation: Invocation, event: object): void {
    this.#tell(`a scan goes on in another invocation`);
    this.figures.continuations += 1;
    this.rules.scans.wentOn(invocation, event);
    void this.#invokeAsynchronously(event);
  }

  async #invoke(called: SimulatedFunction, event: unknown): Promise<{ result: Result; invocation: Invocation }> {
    const isScanner = called === this.#scanner;
    const named = isScanner ? this.#secretNamedBy(event) : undefined;
    if (isScanner && named === undefined) {
      this.rules.scans.began(event, this.clock.now);
    }
    return await new Promise((resolve) => {
      void called.invoke(this, event, (invocation, result) => {
        if (named !== undefined) {
          this.figures.events += 1;
          this.#tell(
            `the event of secret ${named.index} is dealt with: ${JSON.stringify(result)}`.slice(0, LONGEST_TOLD),
          );
          this.rules.noticed(invocation, result, named);
        } else if (isScanner) {
          this.figures.scans += 1;
          this.#tell(`a scan ends: ${JSON.stringify(result)}`.slice(0, LONGEST_TOLD));
          this.rules.scanned(invocation, result);
        }
        this.rules.invoked(invocation, result);
        resolve({ result, invocation });
      });
    });
  }

  /** The secret that an event is about, which is then dealt with alone. */
  #secretNamedBy(event: unknown): Secret | undefined {
    const { secretId, name } = eventSchema.safeParse(event).data?.detail.requestParameters ?? {};
    return this.#secretsManager.find(secretId ?? name ?? '');
  }

  /** Lambda tries again after one and two minutes. What fails then is in the dead-letter queue. */
  async #invokeAsynchronously(event: unknown): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const { result } = await this.#invoke(this.#scanner, event);
      if (result.kind === 'returned' || attempt === this.#scanner.retries) {
        return;
      }
      await this.clock.sleep((attempt + 1) * MINUTE);
    }
  }

  /** What happened, in order. */
  history(): readonly string[] {
    const lives = this.secrets.flatMap(({ index, events }) =>
      events.map(({ id, time, what }) => ({ time, what: `secret ${index} ${what} [${id}]` })),
    );
    const faults = this.faults.struck.map(({ id, time, kind, site }) => ({ time, what: `${kind}: ${site} [${id}]` }));
    const wrong = this.rules.violations.map(({ time, rule, what }) => ({
      time,
      what: `VIOLATION of "${rule}": ${what}`,
    }));
    const all = [...lives, ...faults, ...this.#told, ...wrong].sort((a, b) => a.time - b.time);
    // What goes on in the same way is told once.
    const told = all.filter(({ what }, i) => what !== all[i - 1]?.what);
    return told.map(({ time, what }) => `${iso(time)}  ${what}`);
  }

  #tell(what: string): void {
    if (this.#tells) {
      this.#told.push({ time: this.clock.now, what });
    }
  }

  #maybeDeploy(day: number): void {
    const time = this.#span.from + day * DAY + this.#draw.integer(`deployment|${day}`, 0, DAY - 1);
    if (time >= this.#span.to) {
      return;
    }
    this.clock.at(time, () => {
      if (this.faults.at('deployment', DEPLOYMENT_FAULTS).kind !== undefined) {
        this.#deploy();
      }
      this.#maybeDeploy(day + 1);
    });
  }

  #deploy(): void {
    this.#batch.deploy();
    this.#stepFunctions.deploy();
    this.#events.deployed(this.#template.stackId);
  }

  /** The function that retries are configured for is the one that events go to. */
  #target(): SimulatedFunction {
    const [config] = this.#template.ofType('AWS::Lambda::EventInvokeConfig');
    const found = this.#functions.find(({ name }) =>
      config?.title.startsWith(`${name.replace(/^AutoDump-/, '').replaceAll('-', '/')}/`),
    );
    if (found === undefined) {
      throw new Error('The template has no function that is invoked asynchronously.');
    }
    return found;
  }
}

/** The ARN of the secret that a call is about, as far as it is about one. */
function subjectOf({ operation, input }: Call): string {
  if (operation === 'DescribeSecret') {
    return String(input.SecretId);
  }
  if (operation === 'StartExecution') {
    return /"secretArn":"([^"]+)"/.exec(String(input.input))?.[1] ?? '';
  }
  return '';
}

function refusal({ operation }: Call, name: string, status: number): Answer {
  return operation.endsWith('Object')
    ? { status, body: `<Error><Code>${name}</Code></Error>`, type: 'application/xml' }
    : { status, body: JSON.stringify({ __type: `${name}Exception` }), type: 'application/x-amz-json-1.1' };
}

function isFailure(answer: Answer): boolean {
  if ('broken' in answer) {
    return true;
  }
  if (answer.status < 400) {
    return false;
  }
  return !EXPECTED.some((name) => answer.body.includes(name));
}
