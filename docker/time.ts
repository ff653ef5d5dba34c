/** UTC, RFC 3339, whole seconds: `2026-11-22T08:00:00Z`. */
export function inWholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** @returns a function that returns the seconds since this call, even if the machine's clock is set meanwhile */
export function stopwatch(): () => number {
  const started = performance.now();
  return () => Math.round((performance.now() - started) / 100) / 10;
}
