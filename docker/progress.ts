import { log } from './log.ts';

const INTERVAL_MS = 10_000;

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `308.2 MB`: decimal units, like those that S3's prices are quoted in. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 ? 0 : 1)} ${UNITS[power] ?? ''}`;
}

/** Size of a database for the reader. @param bytes null if the server does not say */
export function sizeOnDisk(bytes: number | null): string {
  return bytes === null ? 'of unknown size' : `${formatBytes(bytes)} on disk (indexes included)`;
}

export interface Phase {
  /** Start of each line: `Dumping`. */
  readonly name: string;
  /** Bytes done so far. */
  readonly done: () => number | Promise<number>;
  /** The number of bytes that means 100 %, and its name for the reader: `of the archive`. */
  readonly total: { readonly bytes: number; readonly what: string };
  /** Concurrent work to mention at the end of the line. */
  readonly beside?: () => string;
}

/** Progress of a phase on one line: bytes so far, rate, percentage. */
export function progressLine({ name, total, beside }: Phase, bytes: number, seconds: number): string {
  const share =
    total.bytes === 0
      ? ''
      : `, ${Math.floor((100 * bytes) / total.bytes)} % ${total.what} (${formatBytes(total.bytes)})`;
  return `${name}: ${formatBytes(bytes)} in ${Math.round(seconds)} s, ${formatBytes(bytes / Math.max(seconds, 0.001))}/s${share}${beside?.() ?? ''}`;
}

/** Runs a phase and logs its progress every ten seconds and on success. */
export async function withProgress<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const report = async () => {
    log(progressLine(phase, await phase.done(), (performance.now() - started) / 1000));
  };
  const result = await whileReporting(() => void report(), work);
  await report();
  return result;
}

/** Runs work and calls a function every ten seconds. */
export async function whileReporting<T>(report: () => void, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(report, INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
