/** UTC, RFC 3339, whole seconds: `2026-11-22T08:00:00Z`. */
export function inWholeSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
