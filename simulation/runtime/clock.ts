/** An action scheduled on the virtual clock. */
interface ScheduledAction {
  readonly time: number;
  /** Actions due at the same time run in the order in which they were scheduled. */
  readonly order: number;
  act: (() => void) | undefined;
}

/** Cancels a scheduled action. */
export type Cancel = () => void;

/** The virtual clock: time stands still while code runs, then jumps to whatever is due next. */
export class Clock {
  #now: number;
  #order = 0;
  #stopped = false;
  /** A binary heap, the earliest on top. */
  readonly #queue: ScheduledAction[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  /** Whole milliseconds since 1970, as returned by `Date.now()`. */
  get now(): number {
    return this.#now;
  }

  at(time: number, act: () => void): Cancel {
    const action: ScheduledAction = { time: Math.max(Math.round(time), this.#now), order: this.#order++, act };
    this.#push(action);
    return () => {
      action.act = undefined;
    };
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.#now + milliseconds, resolve);
    });
  }

  /** Stops the clock for good: {@link Clock.run} returns after the current action. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Lets time pass. Nothing that runs on this clock does real I/O, so everything that follows from an action happens in
   * microtasks, before the next immediate.
   */
  async run(until: number): Promise<void> {
    await new Promise(setImmediate);
    for (let action = this.#queue[0]; action !== undefined && action.time <= until; action = this.#queue[0]) {
      if (this.#stopped) {
        return;
      }
      this.#pop();
      if (action.act === undefined) {
        continue;
      }
      this.#now = action.time;
      action.act();
      await new Promise(setImmediate);
    }
    this.#now = Math.max(this.#now, until);
  }

  #push(action: ScheduledAction): void {
    const heap = this.#queue;
    let child = heap.push(action) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(action, above)) {
        break;
      }
      heap[child] = above;
      child = parent;
    }
    heap[child] = action;
  }

  #pop(): void {
    const heap = this.#queue;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    let parent = 0;
    for (;;) {
      const [left, right] = [heap[2 * parent + 1], heap[2 * parent + 2]];
      const [child, below] =
        left !== undefined && right !== undefined && isBefore(right, left)
          ? [2 * parent + 2, right]
          : [2 * parent + 1, left];
      if (below === undefined || !isBefore(below, last)) {
        break;
      }
      heap[parent] = below;
      parent = child;
    }
    heap[parent] = last;
  }
}

function isBefore(a: ScheduledAction, b: ScheduledAction): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
