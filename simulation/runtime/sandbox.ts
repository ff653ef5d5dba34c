import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import type { Cancel, Clock } from './clock.ts';

/** What code sees of the time and of chance. */
export interface Surroundings {
  readonly Date: DateConstructor;
  readonly setTimeout: (act: (...args: unknown[]) => void, milliseconds?: number, ...args: unknown[]) => Timer;
  readonly clearTimeout: (timer?: unknown) => void;
  readonly Math: Math;
}

/** What `setTimeout` gives in Node.js, as far as libraries use it. */
class Timer {
  readonly cancel: Cancel;

  constructor(cancel: Cancel) {
    this.cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  [Symbol.toPrimitive](): number {
    return 0;
  }
}

/** Time by the virtual clock, and chance by the given source of numbers from 0 to 1. */
export function surroundings(clock: Clock, random: () => number): Surroundings {
  class VirtualDate extends Date {
    constructor(...args: [] | ConstructorParameters<DateConstructor>) {
      if (args.length === 0) {
        super(clock.now);
      } else {
        super(...args);
      }
    }

    static override now(): number {
      return clock.now;
    }
  }
  return {
    Date: VirtualDate as DateConstructor,
    setTimeout: (act, milliseconds = 0, ...args) =>
      new Timer(
        // As in Node.js, where no timer takes less than a millisecond.
        clock.at(clock.now + Math.max(1, milliseconds), () => {
          act(...args);
        }),
      ),
    clearTimeout: (timer) => {
      if (timer instanceof Timer) {
        timer.cancel();
      }
    },
    Math: Object.create(Math, { random: { value: random } }) as Math,
  };
}

/** A CommonJS module, compiled once, and made anew as often as wanted, each time with other surroundings. */
export class Module {
  readonly #file: string;
  readonly #script: vm.Script;
  readonly #names: readonly string[];

  /** @param names globals that the surroundings replace */
  constructor(file: string, names: readonly string[]) {
    this.#file = file;
    this.#names = names;
    this.#script = new vm.Script(
      `(function (exports, require, module, ${names.join(', ')}) {${readFileSync(file, 'utf8')}\n})`,
      { filename: file },
    );
  }

  /** @param imports modules that the simulation stands in for, by name without `node:` */
  make(globals: Readonly<Record<string, unknown>>, imports: Readonly<Record<string, unknown>> = {}): unknown {
    const real = createRequire(this.#file);
    const own = (name: string): unknown => imports[name.replace(/^node:/, '')] ?? real(name);
    const made: { exports: unknown } = { exports: {} };
    const load = this.#script.runInThisContext() as (...args: unknown[]) => void;
    load(made.exports, own, made, ...this.#names.map((name) => globals[name]));
    return made.exports;
  }
}
