import { hash } from 'node:crypto';
import * as z from 'zod/mini';
import type { ExecutionInput } from '../../contract.ts';
import { formatWhen } from './execution.ts';

/**
 * Step Functions keeps the name of an execution for 90 days after its end, so that to start it again does nothing. That
 * an execution runs may be old news, by far less than the day that is left.
 */
const NAME_KEPT = 89 * 24 * 60 * 60;

/** Seconds since 1970: the scheduled time, and when the entry is forgotten. */
type Entry = readonly [when: number, until: number];

const written = z.object({
  version: z.literal(1),
  /** Another machine has other executions. */
  stateMachineArn: z.string(),
  /** Executions that were started by then are known, in seconds since 1970. */
  asOf: z.number(),
  /** By the hash of secret and tags. */
  runs: z.record(z.string(), z.readonly(z.tuple([z.number(), z.number()]))),
});

/**
 * What scans know to be started, so that they need not ask Step Functions again. It is a cache and no more: an entry is
 * made while its execution runs and forgotten before the name of it can be free again, so that losing an entry, or
 * bringing back an older one, costs calls and changes nothing.
 */
export class Memo {
  /** Executions that ran by then are known; 1970 for a new memo. */
  asOf: Date;
  readonly #stateMachineArn: string;
  readonly #runs: Map<string, Entry>;

  constructor(stateMachineArn: string, runs: Readonly<Record<string, Entry>> = {}, asOf = new Date(0)) {
    this.#stateMachineArn = stateMachineArn;
    this.#runs = new Map(Object.entries(runs));
    this.asOf = asOf;
  }

  /**
   * The memo in a text, or a new one if it is about another state machine.
   *
   * @throws {Error} if the text is not what {@link Memo.write} made
   */
  static read(text: string, stateMachineArn: string): Memo {
    const { stateMachineArn: about, runs, asOf } = written.parse(JSON.parse(text));
    return about === stateMachineArn ? new Memo(about, runs, new Date(asOf * 1000)) : new Memo(stateMachineArn);
  }

  /**
   * The run of a secret under its tags that is known to be the next one and to be started, in the form of
   * {@link ExecutionInput.when}.
   */
  startedAfter(secretArn: string, tagsHash: string, now: Date): string | undefined {
    const [when, until] = this.#runs.get(keyOf(secretArn, tagsHash)) ?? [0, 0];
    return Math.min(when, until) * 1000 > now.getTime() ? formatWhen(new Date(when * 1000)) : undefined;
  }

  /** Remembers that the execution for the next run of a secret runs: it was started, now or before, and not closed. */
  add({ secretArn, tagsHash, when }: ExecutionInput, now: Date): void {
    this.#runs.set(keyOf(secretArn, tagsHash), [Date.parse(when) / 1000, Math.floor(now.getTime() / 1000) + NAME_KEPT]);
  }

  /** Its text, without what is over: its size is bounded by the secrets and how often their tags change. */
  write(now: Date): string {
    const seconds = Math.floor(now.getTime() / 1000);
    const current = [...this.#runs].filter(([, [when, until]]) => when > seconds && until > seconds);
    return JSON.stringify({
      version: 1,
      stateMachineArn: this.#stateMachineArn,
      asOf: Math.floor(this.asOf.getTime() / 1000),
      runs: Object.fromEntries(current),
    } satisfies z.infer<typeof written>);
  }
}

function keyOf(secretArn: string, tagsHash: string): string {
  return hash('sha256', JSON.stringify([secretArn, tagsHash])).slice(0, 24);
}
