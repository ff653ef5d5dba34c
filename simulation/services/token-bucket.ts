export interface Quota {
  readonly perSecond: number;
  readonly burst: number;
}

/** The quota of StartExecution in most Regions. */
export const START_QUOTA: Quota = { perSecond: 150, burst: 800 };

/** The quota of SubmitJob: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html */
export const SUBMIT_QUOTA: Quota = { perSecond: 50, burst: 50 };

/** A quota of calls as AWS enforces it. */
export class TokenBucket {
  readonly #quota: Quota;
  #left: number;
  #at = 0;

  constructor(quota: Quota) {
    this.#quota = quota;
    this.#left = quota.burst;
  }

  /** @returns whether a token was left, and is now taken */
  take(now: number): boolean {
    const refill = ((now - this.#at) / 1000) * this.#quota.perSecond;
    const left = Math.min(this.#quota.burst, this.#left + refill);
    this.#at = now;
    this.#left = left < 1 ? left : left - 1;
    return left >= 1;
  }
}
