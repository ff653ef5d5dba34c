import { availableParallelism, cpus } from 'node:os';

/** Time of all processors, in any unit. */
interface ProcessorTime {
  readonly idle: number;
  readonly all: number;
}

function processorTime(): ProcessorTime {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/** Fraction of the processors' time that has to be idle before more is done at the same time. */
const IDLE = 0.15;

/** Whether the processors were idle for some of the time in between. */
export function wereIdle(before: ProcessorTime, now: ProcessorTime): boolean {
  return now.idle - before.idle > IDLE * (now.all - before.all);
}

/**
 * @returns a function that says whether the processors have been idle for some of the time since it was last called;
 *   never if some of them are for others
 */
export function idleProcessors(): () => boolean {
  let before = processorTime();
  return () => {
    const now = processorTime();
    const isIdle = wereIdle(before, now);
    before = now;
    return isIdle && availableParallelism() === cpus().length;
  };
}
