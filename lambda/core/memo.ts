import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { ExecutionInput } from '../../contract.ts';
import { formatWhen } from './execution.ts';

/** Step Functions keeps the name of an execution for 90 days after its end, so that to start it again does nothing. */
const NAME_KEPT = 90 * 24 * 60 * 60;

/** Seconds since 1970: the scheduled time, and when the entry is forgotten. */
type Entry = readonly [when: number, until: number];

const written = z.object({
  version: z.literal(1),
  /** By the hash of secret and tags. */
  runs: z.record(z.string(), z.readonly(z.tuple([z.number(), z.number()]))),
});

/**
 * What scans know to be started, so that they need not ask Step Functions again. It is a cache and no more: an entry is
 * true from the moment it is made until it is forgotten, whatever happens meanwhile, so that losing it, or bringing back
 * an older one, costs calls and changes nothing.
 */
export class Memo {
  readonly #runs: Map<string, Entry>;
  #changed = false;

  constructor(runs: Readonly<Record<string, Entry>> = {}) {
    this.#runs = new Map(Object.entries(runs));
  }

  /** @throws Error if the text is not what {@link Memo.write} made */
  static read(text: string): Memo {
    return new Memo(written.parse(JSON.parse(text)).runs);
  }

  /** Whether it knows more than when it was read. */
  get changed(): boolean {
    return this.#changed;
  }

  /**
   * The run of a secret under its tags that is known to be the first after an instant and to be started, in the form of
   * {@link ExecutionInput.when}.
   */
  startedAfter(secretArn: string, tagsHash: string, after: Date, now: Date): string | undefined {
    const [when, until] = this.#runs.get(keyOf(secretArn, tagsHash)) ?? [0, 0];
    return when * 1000 > after.getTime() && until * 1000 > now.getTime()
      ? formatWhen(new Date(when * 1000))
      : undefined;
  }

  /** Remembers that the next run of a secret was started, now or before. */
  add({ secretArn, tagsHash, when }: ExecutionInput, now: Date): void {
    this.#runs.set(keyOf(secretArn, tagsHash), [Date.parse(when) / 1000, Math.floor(now.getTime() / 1000) + NAME_KEPT]);
    this.#changed = true;
  }

  /** Its text, without what is over: its size is bounded by the secrets and how often their tags change. */
  write(now: Date): string {
    const seconds = now.getTime() / 1000;
    const current = [...this.#runs].filter(([, [when, until]]) => when > seconds && until > seconds);
    return JSON.stringify({ version: 1, runs: Object.fromEntries(current) } satisfies z.infer<typeof written>);
  }
}

function keyOf(secretArn: string, tagsHash: string): string {
  return createHash('sha256')
    .update(JSON.stringify([secretArn, tagsHash]))
    .digest('hex')
    .slice(0, 24);
}
