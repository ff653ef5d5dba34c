import { z } from 'zod';
import { ACCOUNT, REGION, Template } from '../local/template.ts';
import { Clock } from './clock.ts';
import type { Answer, Call } from './door.ts';
import { Draw } from './draw.ts';
import { type Invocation, SimulatedFunction, type World } from './function.ts';
import { ObjectStore } from './object-store.ts';
import type { Secret } from './secret-life.ts';
import { SecretsManager } from './secrets-manager.ts';
import { answerOf, ServiceError } from './service.ts';
import { StartQuota } from './start-quota.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = Date.parse('2026-01-01T00:00:00Z');

/** How long every call takes, in milliseconds. */
const LATENCY = 50;

/** What scans of a number of tagged secrets cost. */
export interface Scale {
  readonly secrets: number;
  /** Nothing waits yet. */
  readonly first: Cost;
  /** Everything waits already. */
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

/** Lets the Scanner scan that many tagged secrets twice, without faults but within the quotas. */
export async function scale(cdkOut: string, secrets: number): Promise<Scale> {
  const world = new ScaleWorld(cdkOut, secrets);
  const first = await world.scan();
  return { secrets, first, settled: await world.scan() };
}

export function scaleText(scales: readonly Scale[]): string {
  const rows = scales.flatMap(({ secrets, first, settled }) => [
    rowOf(secrets, 'first', first),
    rowOf(secrets, 'settled', settled),
  ]);
  const heading = ['secrets', 'scan', 'calls', 'starts', 'throttled', 'invocations', 'failed', 'virtual s'];
  return [heading, ...rows].map((row) => row.map((cell) => cell.padStart(12)).join('')).join('\n') + '\n';
}

function rowOf(
  secrets: number,
  scan: string,
  { calls, starts, throttled, invocations, failed, seconds }: Cost,
): string[] {
  const numbers = [calls, starts, throttled, invocations, failed, Math.round(seconds)];
  return [secrets.toLocaleString('en-US'), scan, ...numbers.map((number) => number.toLocaleString('en-US'))];
}

/** An account in which nothing happens but scans. */
class ScaleWorld implements World {
  readonly clock = new Clock(START);
  readonly #scanner: SimulatedFunction;
  readonly #secretsManager: SecretsManager;
  readonly #objectStore = new ObjectStore();
  readonly #quota = new StartQuota();
  readonly #started = new Set<string>();
  readonly #counts = { calls: 0, starts: 0, throttled: 0, invocations: 0, failed: 0 };
  #underWay = 0;
  #ended = START;

  constructor(cdkOut: string, secrets: number) {
    const template = new Template(cdkOut);
    const [resource] = template.ofType('AWS::Lambda::Function').filter(({ title }) => title.startsWith('Scanner'));
    if (resource === undefined) throw new Error('The template has no Scanner.');
    this.#scanner = new SimulatedFunction(template, resource);
    const tagged = Array.from({ length: secrets }, (_, index) => taggedSecret(index));
    this.#secretsManager = new SecretsManager(tagged, this.clock, new Draw('scale'), 'full pages');
  }

  random(): number {
    return 0.5;
  }

  /** One scan, with all invocations that it goes on in. */
  async scan(): Promise<Cost> {
    const before = { ...this.#counts };
    const started = this.clock.now;
    void this.#invoke({});
    while (this.#underWay > 0) await this.clock.run(this.clock.now + MINUTE);
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

  serve(_: Invocation, call: Call, answer: (answer: Answer) => void): void {
    this.#counts.calls += 1;
    this.clock.at(this.clock.now + LATENCY / 2, () => {
      const given = this.#answer(call);
      this.clock.at(this.clock.now + LATENCY / 2, () => {
        answer(given);
      });
    });
  }

  #answer({ operation, input, body }: Call): Answer {
    switch (operation) {
      case 'ListSecrets':
        return answerOf(() => this.#secretsManager.listSecrets(input));
      case 'StartExecution':
        return answerOf(() => this.#startExecution(z.object({ name: z.string() }).parse(input).name));
      case 'GetObject':
        return this.#objectStore.getObject(String(input.path));
      case 'PutObject':
        return this.#objectStore.putObject(String(input.path), body);
      case 'Invoke':
        void this.#invoke(JSON.parse(body.toString()));
        return { status: 202, body: '', type: 'application/json' };
      default:
        throw new Error(`The Scanner calls ${operation}, which this simulation does not know.`);
    }
  }

  #startExecution(name: string): object {
    if (!this.#quota.take(this.clock.now)) {
      this.#counts.throttled += 1;
      throw new ServiceError('ThrottlingException', 'Rate exceeded');
    }
    if (this.#started.has(name)) throw new ServiceError('ExecutionAlreadyExists', name);
    this.#started.add(name);
    this.#counts.starts += 1;
    return { executionArn: name, startDate: this.clock.now / 1000 };
  }

  async #invoke(event: unknown): Promise<void> {
    this.#underWay += 1;
    this.#counts.invocations += 1;
    const { kind } = await this.#scanner.invoke(this, event, () => undefined);
    if (kind === 'failed') this.#counts.failed += 1;
    this.#underWay -= 1;
    this.#ended = this.clock.now;
  }
}

/** A secret with a run in December: none comes due while scans go on. */
function taggedSecret(index: number): Secret {
  const name = `db-${index}`;
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-a1B2c3`;
  const tags = {
    schedule: `${index % 60} ${index % 24} ${1 + (index % 28)} 12 *`,
    timezone: 'Europe/Berlin',
    valid: true,
  };
  const state = { from: START - DAY, exists: true, tags, deletion: undefined, replicated: false };
  return { index, name, arn, primaryRegion: undefined, events: [], states: [state, state] };
}
