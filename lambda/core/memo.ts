import { hash } from 'node:crypto';
import * as z from 'zod/mini';
import type { ExecutionInput } from '../../contract.ts';
import { formatWhen } from './execution-name.ts';

/**
 * Step Functions reserves the name of an execution for 90 days after its end, so that starting it again has no effect.
 * The remaining day is ample for the time between observing that an execution runs and recording it.
 */
const NAME_RESERVED_S = 89 * 24 * 60 * 60;

/** Seconds since 1970: the scheduled time, and when the entry expires. */
type Entry = readonly [when: number, until: number];

const memoSchema = z.object({
  version: z.literal(1),
  stateMachineArn: z.string(),
  /** Memos written by earlier versions lack it. */
  timezoneRules: z.optional(z.string()),
  /** Executions started before this instant are in the memo; seconds since 1970. */
  asOf: z.number(),
  /** By the hash of secret, tags and purpose. */
  runs: z.record(z.string(), z.readonly(z.tuple([z.number(), z.number()]))),
});

/** What a memo is valid for. Under other rules, the next run of a secret may be at another time. */
export interface MemoScope {
  /** The state machine whose executions are in it. */
  readonly stateMachineArn: string;
  /** Release of the time zone database, such as `2026c`, if the runtime has one. */
  readonly timezoneRules: string | undefined;
}

/**
 * The runs that scans know to be started, so that they need not ask Step Functions again. It is only a cache: an entry
 * is made while its execution runs, and expires before the execution's name becomes available again. Losing an entry,
 * or restoring an older one, costs API calls and changes nothing.
 */
export class Memo {
  /** Executions started before this instant are in the memo; 1970 for a new one. */
  asOf: Date;
  readonly #scope: MemoScope;
  readonly #runs: Map<string, Entry>;

  constructor(scope: MemoScope, runs: Readonly<Record<string, Entry>> = {}, asOf = new Date(0)) {
    this.#scope = scope;
    this.#runs = new Map(Object.entries(runs));
    this.asOf = asOf;
  }

  /**
   * Parses the output of {@link Memo.write}. A memo of another scope is replaced by a new one.
   *
   * @throws {Error} if the text is not a valid memo
   */
  static read(text: string, scope: MemoScope): Memo {
    const { stateMachineArn, timezoneRules, runs, asOf } = memoSchema.parse(JSON.parse(text));
    return stateMachineArn === scope.stateMachineArn && timezoneRules === scope.timezoneRules
      ? new Memo(scope, runs, new Date(asOf * 1000))
      : new Memo(scope);
  }

  /**
   * The next run of a secret with these tags and this purpose, if it is known to be started, in the format of {@link
   * ExecutionInput.when}.
   */
  nextStarted(run: Omit<ExecutionInput, 'when'>, now: Date): string | undefined {
    const [when, until] = this.#runs.get(keyOf(run)) ?? [0, 0];
    return Math.min(when, until) * 1000 > now.getTime() ? formatWhen(new Date(when * 1000)) : undefined;
  }

  /** Adds the next run of a secret, whose execution must be running: started now or earlier, and not closed. */
  add(run: ExecutionInput, now: Date): void {
    this.#runs.set(keyOf(run), [Date.parse(run.when) / 1000, Math.floor(now.getTime() / 1000) + NAME_RESERVED_S]);
  }

  /**
   * Serializes the memo without past runs, so that its size depends only on the secrets and how often their tags
   * change.
   */
  write(now: Date): string {
    const seconds = Math.floor(now.getTime() / 1000);
    const current = [...this.#runs].filter(([, [when, until]]) => when > seconds && until > seconds);
    return JSON.stringify({
      version: 1,
      ...this.#scope,
      asOf: Math.floor(this.asOf.getTime() / 1000),
      runs: Object.fromEntries(current),
    } satisfies z.infer<typeof memoSchema>);
  }
}

function keyOf({ secretArn, tagsHash, purpose }: Omit<ExecutionInput, 'when'>): string {
  const identity = [secretArn, tagsHash, ...(purpose === 'drill' ? [purpose] : [])];
  return hash('sha256', JSON.stringify(identity)).slice(0, 24);
}
