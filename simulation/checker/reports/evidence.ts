import type { Clock } from '../../runtime/clock.ts';
import type { Execution } from '../../services/execution.ts';

const DAY = 24 * 60 * 60_000;

/** Longer than a dump may be overdue and be reported with all those since. */
const DUMPS_KEPT = 60 * DAY;

/** Dumps are kept for 35 days by default. */
const LEAST_RETENTION = 34 * DAY;

/** From when to when a check looked. */
export interface Look {
  readonly started: number;
  readonly ended: number;
}

/** A check for missing dumps that has ended. */
export interface Check extends Look {
  /** Whether it may have remembered what it found. */
  readonly wrote: boolean;
  /** Whether it has, and no other check meanwhile. */
  readonly certain: boolean;
}

interface Run {
  readonly when: number;
  ended: number;
}

/** What a check can have found of one secret: its dumps and runs. */
export class Evidence {
  /** When the dumps were made, by scheduled time. */
  readonly #dumps = new Map<number, number>();
  readonly #runs = new Map<Execution, Run>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onDumped({ when }: Execution): void {
    for (const old of this.#dumps.keys()) {
      if (old < when - DUMPS_KEPT) {
        this.#dumps.delete(old);
      }
    }
    if (!this.#dumps.has(when)) {
      this.#dumps.set(when, this.#clock.now);
    }
  }

  onStarted(execution: Execution): void {
    this.#runs.set(execution, { when: execution.when, ended: Infinity });
  }

  onEnded(execution: Execution): void {
    const { now } = this.#clock;
    this.#runs.set(execution, { when: execution.when, ended: now });
    this.#clock.at(now + DAY, () => {
      this.#runs.delete(execution);
    });
  }

  /** Whether the dump of a scheduled time was there at an instant. */
  hasDump(when: number, instant: number): boolean {
    return (this.#dumps.get(when) ?? Infinity) <= instant;
  }

  /** The scheduled time of the newest dump at an instant. */
  newest(instant: number): number | undefined {
    const times = [...this.#dumps].filter(([, made]) => made <= instant).map(([when]) => when);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** Whether a dump was there all the time of a look, and had not expired. */
  mustHaveDump({ started, ended }: Look): boolean {
    return [...this.#dumps.values()].some((made) => made <= started && made > ended - LEAST_RETENTION);
  }

  /** Whether a run of a scheduled time was going at any time of a look. */
  mayBeGoing(when: number, { started }: Look): boolean {
    return this.#runsOf(when).some((run) => run.ended >= started);
  }

  /** Whether a run of a scheduled time was going all the time of a look. */
  mustBeGoing(when: number, { ended }: Look): boolean {
    const runs = this.#runsOf(when);
    return runs.length > 0 && runs.every((run) => run.ended > ended);
  }

  #runsOf(when: number): readonly Run[] {
    return [...this.#runs.values()].filter((run) => run.when === when);
  }
}
