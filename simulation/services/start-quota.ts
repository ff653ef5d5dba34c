/** The refill of StartExecution in most Regions, and the size of its bucket. */
const STARTS_PER_SECOND = 150;
const STARTS_AT_ONCE = 800;

/** The quota of StartExecution. */
export class StartQuota {
  #left = STARTS_AT_ONCE;
  #at = 0;

  /** Takes one start, if there is one left. */
  take(now: number): boolean {
    const refill = ((now - this.#at) / 1000) * STARTS_PER_SECOND;
    const left = Math.min(STARTS_AT_ONCE, this.#left + refill);
    this.#at = now;
    this.#left = left < 1 ? left : left - 1;
    return left >= 1;
  }
}
