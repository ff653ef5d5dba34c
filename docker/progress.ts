import { log } from './log.ts';

const INTERVAL_MS = 10_000;

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `308.2 MB`: decimal units, as S3's prices and `pg_dump`'s users count. */
export function sized(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 ? 0 : 1)} ${UNITS[power] ?? ''}`;
}

export interface Phase {
  /** `Dumping`: begins each line. */
  readonly name: string;
  /** Bytes done so far. */
  readonly done: () => number | Promise<number>;
  /** What the bytes are measured against, and what that is: `of the archive`. */
  readonly total: { readonly bytes: number; readonly what: string };
  /** What goes on beside it, for the end of the line. */
  readonly beside?: () => string;
}

/** One line about a phase: bytes so far, rate, share. */
export function progressLine({ name, total, beside }: Phase, bytes: number, seconds: number): string {
  const share =
    total.bytes === 0 ? '' : `, ${Math.floor((100 * bytes) / total.bytes)} % ${total.what} (${sized(total.bytes)})`;
  return `${name}: ${sized(bytes)} in ${Math.round(seconds)} s, ${sized(bytes / Math.max(seconds, 0.001))}/s${share}${beside?.() ?? ''}`;
}

/** Runs a phase, with a line in the log every ten seconds and one at its end. */
export async function withProgress<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const report = async () => {
    log(progressLine(phase, await phase.done(), (performance.now() - started) / 1000));
  };
  const timer = setInterval(() => void report(), INTERVAL_MS);
  try {
    const result = await work();
    await report();
    return result;
  } finally {
    clearInterval(timer);
  }
}
