import { Template } from '../../local/assembly/template.ts';
import { total } from '../figures.ts';
import { Clock } from '../runtime/clock.ts';
import type { Answer, Call } from '../runtime/fake-https.ts';
import { Random } from '../runtime/random.ts';
import { answerCall, type AwsServices, unsupported } from '../services/aws-api.ts';
import { dumpBucketOf, leaveDump, leaveEvidence } from '../services/dump-program.ts';
import type { Invocation, World } from '../services/lambda/invocation.ts';
import { functionsOf, functionTitled, type SimulatedFunction } from '../services/lambda/lambda-function.ts';
import { ObjectStore } from '../services/object-store.ts';
import { SecretsManager } from '../services/secrets-manager.ts';
import { START } from '../simulate.ts';
import { dailySecret, spreadSchedule } from '../workload/daily-secret.ts';
import type { Secret } from '../workload/secret-history.ts';
import { tableText } from './table.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Of every call, in milliseconds. */
const LATENCY = 50;

/** By the third day each secret has a dump that was seen. */
const SETTLED = START + 2 * DAY;

/** What the hourly checks for missing dumps cost in a day on which none is missing. */
export interface CheckCost {
  readonly secrets: number;
  /** Whether each is also drilled, once a week. */
  readonly isDrilled: boolean;
  readonly requests: number;
  /** By operation. */
  readonly calls: Readonly<Record<string, number>>;
  readonly failed: number;
  /** Virtual seconds of the longest check. */
  readonly seconds: number;
}

/**
 * Measures a day of a settled account of secrets with daily schedules, without faults.
 *
 * @param isDrilled whether each is also drilled, once a week
 */
export async function measureChecks(cdkOut: string, secrets: number, isDrilled: boolean): Promise<CheckCost> {
  const world = new CheckedWorld(cdkOut, secrets, isDrilled);
  await world.run();
  const { calls } = world;
  return { secrets, isDrilled, requests: total(calls), calls, failed: world.failed, seconds: world.longest / 1000 };
}

export function checkCostText(results: readonly CheckCost[]): string {
  const heading = ['secrets', 'drills', 'requests', 'of them LIST', 'failed', 'virtual s'];
  const rows = results.map(({ secrets, isDrilled, requests, calls, failed, seconds }) => {
    const numbers = [requests, calls.ListObjectsV2 ?? 0, failed, Math.round(seconds)];
    const cells = numbers.map((number) => number.toLocaleString('en-US'));
    return [secrets.toLocaleString('en-US'), isDrilled ? 'weekly' : 'none', ...cells];
  });
  return tableText([heading, ...rows], 14);
}

/** Halfway from the dump to midnight, so that there is one, on a day of the week: drills are spread over it. */
function drillScheduleOf(index: number): string {
  const time = new Date(drillTimeOf(index));
  return `${time.getUTCMinutes()} ${time.getUTCHours()} * * ${index % 7}`;
}

function drillTimeOf(index: number): number {
  const minutes = 24 * 60;
  return START + Math.floor(((index % minutes) + minutes) / 2) * MINUTE;
}

/** An account in which every secret gets its dump, and the evidence of its drill, ten minutes after its time. */
class CheckedWorld implements World {
  readonly clock = new Clock(START);
  readonly runtimeUpdate = START;
  readonly calls: Record<string, number> = {};
  failed = 0;
  /** Milliseconds. */
  longest = 0;
  readonly #freshness: SimulatedFunction;
  readonly #isDrilled: boolean;
  readonly #secrets: readonly Secret[];
  readonly #dumpBucket: string;
  readonly #services: AwsServices;

  constructor(cdkOut: string, secrets: number, isDrilled: boolean) {
    const template = new Template(cdkOut);
    this.#isDrilled = isDrilled;
    this.#freshness = functionTitled(functionsOf(template), 'Freshness');
    this.#secrets = Array.from({ length: secrets }, (_, i) =>
      dailySecret(i, spreadSchedule(i), 'UTC', START, isDrilled ? drillScheduleOf(i) : undefined),
    );
    this.#dumpBucket = dumpBucketOf(template);
    const secretsManager = new SecretsManager(this.#secrets, this.clock, new Random('checks'));
    this.#services = {
      objectStore: new ObjectStore(template, this.clock),
      listSecrets: (request) => secretsManager.listSecrets(request),
      describeSecret: unsupported,
      startExecution: unsupported,
      listExecutions: unsupported,
      describeExecution: unsupported,
      invoke: unsupported,
      publish: unsupported,
      putEvents: unsupported,
    };
  }

  random(): number {
    return 0.5;
  }

  async run(): Promise<void> {
    for (const secret of this.#secrets) {
      const due = START + (secret.index % (24 * 60)) * MINUTE;
      for (const when of [due, due + DAY, due + 2 * DAY]) {
        this.clock.at(when + 10 * MINUTE, () => {
          leaveDump(this.#services.objectStore, this.#dumpBucket, { name: 'simulated', secret, when }, this.clock.now);
        });
      }
      if (this.#isDrilled) {
        this.#leaveEvidenceOf(secret);
      }
    }
    for (let time = START; time < SETTLED + DAY; time += HOUR) {
      this.clock.at(time, () => void this.#check(time));
    }
    await this.clock.run(SETTLED + DAY + HOUR);
  }

  #leaveEvidenceOf(secret: Secret): void {
    for (let day = 0; day <= 2; day += 1) {
      const when = drillTimeOf(secret.index) + day * DAY;
      if (new Date(when).getUTCDay() === secret.index % 7) {
        const drill = { name: 'simulated', secret, when };
        this.clock.at(when + 10 * MINUTE, () => {
          leaveEvidence(this.#services.objectStore, this.#dumpBucket, drill, this.clock.now);
        });
      }
    }
  }

  serve(_invocation: Invocation, call: Call, answer: (answer: Answer) => void): void {
    if (this.clock.now >= SETTLED) {
      this.calls[call.operation] = (this.calls[call.operation] ?? 0) + 1;
    }
    this.clock.at(this.clock.now + LATENCY, () => {
      answer(answerCall(this.#services, call));
    });
  }

  async #check(started: number): Promise<void> {
    const { result } = await this.#freshness.invoke(this, {});
    this.failed += result.kind === 'failed' ? 1 : 0;
    this.longest = Math.max(this.longest, this.clock.now - started);
  }
}
