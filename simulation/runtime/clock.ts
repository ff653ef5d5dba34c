/** Something due at a time of the virtual clock. */
interface Due {
  readonly time: number;
  /** Things due at the same time happen in the order in which they were asked for. */
  readonly order: number;
  act: (() => void) | undefined;
}

/** Forgets what was due. */
export type Cancel = () => void;

/** The virtual clock: time stands still while code runs, and then leaps to whatever is due next. */
export class Clock {
  #now: number;
  #order = 0;
  /** A binary heap, the earliest on top. */
  readonly #dues: Due[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  /** Whole milliseconds since 1970, as `Date.now()` gives them. */
  get now(): number {
    return this.#now;
  }

  at(time: number, act: () => void): Cancel {
    const due: Due = { time: Math.max(Math.round(time), this.#now), order: this.#order++, act };
    this.#push(due);
    return () => {
      due.act = undefined;
    };
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.#now + milliseconds, resolve);
    });
  }

  /**
   * Lets time pass. Nothing that runs on this clock does real input or output, so that whatever the code goes on to do
   * after a step it does in microtasks, before the next immediate.
   */
  async run(until: number): Promise<void> {
    await new Promise(setImmediate);
    for (let due = this.#dues[0]; due !== undefined && due.time <= until; due = this.#dues[0]) {
      this.#pop();
      if (due.act === undefined) {
        continue;
      }
      this.#now = due.time;
      due.act();
      await new Promise(setImmediate);
    }
    this.#now = Math.max(this.#now, until);
  }

  #push(due: Due): void {
    const heap = this.#dues;
    let child = heap.push(due) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(due, above)) {
        break;
      }
      heap[child] = above;
      child = parent;
    }
    heap[child] = due;
  }

  #pop(): void {
    const heap = this.#dues;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    let parent = 0;
    for (;;) {
      const [left, right] = [heap[2 * parent + 1], heap[2 * parent + 2]];
      const [child, below] =
        left !== undefined && right !== undefined && before(right, left)
          ? [2 * parent + 2, right]
          : [2 * parent + 1, left];
      if (below === undefined || !before(below, last)) {
        break;
      }
      heap[parent] = below;
      parent = child;
    }
    heap[parent] = last;
  }
}

function before(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
