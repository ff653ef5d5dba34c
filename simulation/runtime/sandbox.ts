import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import type { Cancel, Clock } from './clock.ts';

/** The globals through which code sees time and randomness. */
export interface Globals {
  readonly Date: DateConstructor;
  readonly setTimeout: (act: (...args: unknown[]) => void, milliseconds?: number, ...args: unknown[]) => Timer;
  readonly clearTimeout: (timer?: unknown) => void;
  readonly Math: Math;
}

/** The return value of `setTimeout` in Node.js, as far as libraries use it. */
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

/**
 * Globals that tell the time by the virtual clock.
 *
 * @param random source of numbers from 0 to 1
 */
export function virtualGlobals(clock: Clock, random: () => number): Globals {
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
        // As in Node.js, where a timer takes at least one millisecond.
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

/** By their text. */
const modules = new Map<string, SandboxedModule>();

/** A CommonJS module that is compiled once per process and can be loaded many times, each time with other globals. */
export class SandboxedModule {
  readonly #file: string;
  readonly #script: vm.Script;
  readonly #names: readonly string[];

  private constructor(file: string, text: string, names: readonly string[]) {
    this.#file = file;
    this.#names = names;
    this.#script = new vm.Script(`(function (exports, require, module, ${names.join(', ')}) {${text}\n})`, {
      filename: file,
    });
  }

  /** @param names globals to replace, the same whenever the file, or another one with the same text, is asked for */
  static of(file: string, names: readonly string[]): SandboxedModule {
    const text = readFileSync(file, 'utf8');
    const known = modules.get(text) ?? new SandboxedModule(file, text, names);
    modules.set(text, known);
    return known;
  }

  /** @param imports replacements of modules, by name without `node:` */
  load(globals: Readonly<Record<string, unknown>>, imports: Readonly<Record<string, unknown>> = {}): unknown {
    const real = createRequire(this.#file);
    const require = (name: string): unknown => imports[name.replace(/^node:/, '')] ?? real(name);
    const module: { exports: unknown } = { exports: {} };
    const initialize = this.#script.runInThisContext() as (...args: unknown[]) => void;
    initialize(module.exports, require, module, ...this.#names.map((name) => globals[name]));
    return module.exports;
  }
}
