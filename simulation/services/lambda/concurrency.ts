/** How many functions a new account runs at a time. */
const LIMIT = 10;

/** The functions that an account runs at the same time. */
export class Concurrency {
  #running = 0;

  /** @returns whether another function may run, and now does */
  take(): boolean {
    if (this.#running >= LIMIT) {
      return false;
    }
    this.#running += 1;
    return true;
  }

  release(): void {
    this.#running -= 1;
  }
}
