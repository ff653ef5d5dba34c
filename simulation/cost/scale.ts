import { z } from 'zod';
import { Template } from '../../local/assembly/template.ts';
import { Clock } from '../runtime/clock.ts';
import type { Answer, Call } from '../runtime/fake-https.ts';
import { Random } from '../runtime/random.ts';
import { answerCall, type AwsServices, unsupported } from '../services/aws-api.ts';
import type { Invocation, World } from '../services/lambda/invocation.ts';
import { functionsOf, functionTitled, type SimulatedFunction } from '../services/lambda/lambda-function.ts';
import { ObjectStore } from '../services/object-store.ts';
import { SecretsManager } from '../services/secrets-manager.ts';
import { ServiceError } from '../services/service-error.ts';
import { listRunning } from '../services/step-functions/list-executions.ts';
import { machinesOf } from '../services/step-functions/machines.ts';
import { START_QUOTA, TokenBucket } from '../services/token-bucket.ts';
import { START } from '../simulate.ts';
import { dailySecret, spreadSchedule } from '../workload/daily-secret.ts';
import { tableText } from './table.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Of every call, in milliseconds. */
const LATENCY = 50;

const startSchema = z.object({ name: z.string(), input: z.string(), stateMachineArn: z.string() });

/** The cost of scans of a number of tagged secrets. */
export interface ScaleResult {
  readonly secrets: number;
  /** No execution waits yet. */
  readonly first: Cost;
  /** An hour later: runs that came due have started their successors. */
  readonly later: Cost;
  /** Another hour later. */
  readonly settled: Cost;
}

export interface Cost {
  readonly calls: number;
  readonly starts: number;
  readonly throttled: number;
  readonly invocations: number;
  readonly failed: number;
  /** Virtual seconds. */
  readonly seconds: number;
}

/** Measures hourly scans of secrets with daily schedules, without faults but within the quota of StartExecution. */
export async function measureScale(cdkOut: string, secrets: number): Promise<ScaleResult> {
  const world = new ScaleWorld(cdkOut, secrets);
  const first = await world.scan();
  await world.runFor(HOUR);
  const later = await world.scan();
  await world.runFor(HOUR);
  return { secrets, first, later, settled: await world.scan() };
}

export function scaleText(results: readonly ScaleResult[]): string {
  const rows = results.flatMap(({ secrets, first, later, settled }) => [
    rowOf(secrets, 'first', first),
    rowOf(secrets, 'later', later),
    rowOf(secrets, 'settled', settled),
  ]);
  const heading = ['secrets', 'scan', 'calls', 'starts', 'throttled', 'invocations', 'failed', 'virtual s'];
  return tableText([heading, ...rows], 12);
}

function rowOf(
  secrets: number,
  scan: string,
  { calls, starts, throttled, invocations, failed, seconds }: Cost,
): string[] {
  const numbers = [calls, starts, throttled, invocations, failed, Math.round(seconds)];
  return [secrets.toLocaleString('en-US'), scan, ...numbers.map((number) => number.toLocaleString('en-US'))];
}

/** A waiting execution. */
interface WaitingExecution {
  readonly name: string;
  readonly started: number;
}

/** An account with nothing but scans, and runs that start their successors. */
class ScaleWorld implements World {
  readonly clock = new Clock(START);
  readonly runtimeUpdate = START;
  /** ARN of the state machine of the runs. */
  readonly #runs: string;
  readonly #scanner: SimulatedFunction;
  readonly #reschedule: SimulatedFunction;
  readonly #secretsManager: SecretsManager;
  readonly #objectStore: ObjectStore;
  readonly #quota = new TokenBucket(START_QUOTA);
  readonly #started = new Set<string>();
  readonly #waiting = new Set<WaitingExecution>();
  readonly #counts = { calls: 0, starts: 0, throttled: 0, invocations: 0, failed: 0 };
  #active = 0;
  #ended = START;

  constructor(cdkOut: string, secrets: number) {
    const template = new Template(cdkOut);
    this.#objectStore = new ObjectStore(template, this.clock);
    this.#runs = machinesOf(template).runs.arn;
    const functions = functionsOf(template);
    this.#scanner = functionTitled(functions, 'Scanner');
    this.#reschedule = functionTitled(functions, 'RunFunctions/Reschedule');
    const tagged = Array.from({ length: secrets }, (_, i) => dailySecret(i, spreadSchedule(i), 'Europe/Berlin', START));
    this.#secretsManager = new SecretsManager(tagged, this.clock, new Random('scale'));
  }

  random(): number {
    return 0.5;
  }

  /** Lets time pass, in which runs come due. */
  async runFor(time: number): Promise<void> {
    await this.clock.run(this.clock.now + time);
  }

  /** Runs one scan, with all invocations in which it is continued. */
  async scan(): Promise<Cost> {
    const before = { ...this.#counts };
    const started = this.clock.now;
    void this.#invoke({});
    while (this.#active > 0) {
      await this.clock.run(this.clock.now + MINUTE);
    }
    const { calls, starts, throttled, invocations, failed } = this.#counts;
    return {
      calls: calls - before.calls,
      starts: starts - before.starts,
      throttled: throttled - before.throttled,
      invocations: invocations - before.invocations,
      failed: failed - before.failed,
      seconds: (this.#ended - started) / 1000,
    };
  }

  serve({ function: caller }: Invocation, call: Call, answer: (answer: Answer) => void): void {
    const counts = caller === this.#scanner ? this.#counts : { calls: 0, starts: 0, throttled: 0 };
    counts.calls += 1;
    this.clock.at(this.clock.now + LATENCY / 2, () => {
      const response = answerCall(this.#servicesFor(counts), call);
      this.clock.at(this.clock.now + LATENCY / 2, () => {
        answer(response);
      });
    });
  }

  #servicesFor(counts: { starts: number; throttled: number }): AwsServices {
    return {
      objectStore: this.#objectStore,
      describeSecret: (request) => this.#secretsManager.describeSecret(request),
      listSecrets: (request) => this.#secretsManager.listSecrets(request),
      listExecutions: (request) => listRunning([...this.#waiting], request),
      startExecution: (request) => this.#startExecution(startSchema.parse(request), counts),
      invoke: (event) => void this.#invoke(event),
      describeExecution: unsupported,
      publish: unsupported,
      putEvents: unsupported,
    };
  }

  #startExecution(
    { name, input, stateMachineArn }: z.infer<typeof startSchema>,
    counts: { starts: number; throttled: number },
  ): object {
    const { now } = this.clock;
    if (!this.#quota.take(now)) {
      counts.throttled += 1;
      throw new ServiceError('ThrottlingException', 'Rate exceeded');
    }
    if (this.#started.has(name)) {
      throw new ServiceError('ExecutionAlreadyExists', name);
    }
    this.#started.add(name);
    counts.starts += 1;
    if (stateMachineArn !== this.#runs) {
      return { executionArn: name, startDate: now / 1000 };
    }
    const execution = { name, started: now };
    this.#waiting.add(execution);
    const run = z.object({ when: z.iso.datetime() }).loose().parse(JSON.parse(input));
    this.clock.at(Date.parse(run.when), () => {
      this.#waiting.delete(execution);
      void this.#reschedule.invoke(this, { ...run, stateMachineArn });
    });
    return { executionArn: name, startDate: now / 1000 };
  }

  async #invoke(event: unknown): Promise<void> {
    this.#active += 1;
    this.#counts.invocations += 1;
    const { result } = await this.#scanner.invoke(this, event);
    if (result.kind === 'failed') {
      this.#counts.failed += 1;
    }
    this.#active -= 1;
    this.#ended = this.clock.now;
  }
}
