/** The refill rate and bucket size of StartExecution in most Regions. */
const STARTS_PER_SECOND = 150;
const STARTS_IN_A_BURST = 800;

/** The quota of StartExecution, a token bucket. */
export class StartQuota {
  #left = STARTS_IN_A_BURST;
  #at = 0;

  /** @returns whether a token was left, and is now taken */
  take(now: number): boolean {
    const refill = ((now - this.#at) / 1000) * STARTS_PER_SECOND;
    const left = Math.min(STARTS_IN_A_BURST, this.#left + refill);
    this.#at = now;
    this.#left = left < 1 ? left : left - 1;
    return left >= 1;
  }
}
