import { total } from '../figures.ts';
import { Random } from '../runtime/random.ts';
import { START } from '../simulate.ts';
import { dailySecret } from '../workload/daily-secret.ts';
import { SimulatedWorld } from '../world.ts';
import { tableText } from './table.ts';

const HOUR = 60 * 60_000;

/** How a new account copes with many schedules that are due at the same second. */
export interface RushResult {
  readonly secrets: number;
  readonly dumped: number;
  readonly failed: number;
  /** Calls of functions beyond what the account runs at a time, and of SubmitJob beyond its quota. */
  readonly throttled: number;
  /** Virtual seconds from the scheduled time to the start of the last dump. */
  readonly seconds: number;
}

/** Pauses differ even within a minute, as on AWS: with equal ones everybody would come back at the same time. */
class RushWorld extends SimulatedWorld {
  readonly #random = new Random('rush');
  #drawn = 0;

  override random(): number {
    this.#drawn += 1;
    return this.#random.number(String(this.#drawn));
  }
}

/** Simulates a number of secrets that are all due at one second, without faults, in a new account. */
export async function measureRush(cdkOut: string, secrets: number): Promise<RushResult> {
  const due = START + 6 * HOUR;
  const world = new RushWorld({
    cdkOut,
    seed: 'rush',
    secrets: Array.from({ length: secrets }, (_, i) => dailySecret(i, '0 6 * * *', 'UTC', START)),
    span: { from: START, to: due + 6 * HOUR },
    busy: false,
    keep: new Set(),
    recordHistory: false,
  });
  const result = { dumped: 0, failed: 0, last: due };
  world.onEnded = ({ jobs, end }) => {
    result.dumped += jobs.length;
    result.failed += end?.status === 'SUCCEEDED' ? 0 : 1;
    result.last = Math.max(result.last, ...jobs);
  };
  await world.run();
  const throttled = total(Object.fromEntries(world.faults.counts));
  return { secrets, dumped: result.dumped, failed: result.failed, throttled, seconds: (result.last - due) / 1000 };
}

export function rushText(results: readonly RushResult[]): string {
  const heading = ['secrets', 'dumped', 'failed', 'throttled', 'virtual s'];
  const rows = results.map(({ secrets, dumped, failed, throttled, seconds }) =>
    [secrets, dumped, failed, throttled, Math.round(seconds)].map((number) => number.toLocaleString('en-US')),
  );
  return tableText([heading, ...rows], 12);
}
