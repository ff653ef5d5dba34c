import { availableParallelism, cpus } from 'node:os';

interface Times {
  readonly idle: number;
  readonly all: number;
}

function timesOf(): Times {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/** Fraction of the processors' time that has to be idle before more is done at the same time. */
const IDLE = 0.15;

/**
 * @returns a function that says whether the processors have been idle for some of the time since it was last called;
 *   never if some of them are for others
 */
export function idleProcessors(): () => boolean {
  let before = timesOf();
  return () => {
    const now = timesOf();
    const isIdle = now.idle - before.idle > IDLE * (now.all - before.all);
    before = now;
    return isIdle && availableParallelism() === cpus().length;
  };
}
