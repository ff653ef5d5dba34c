const MINUTE_MS = 60_000;

/** In its largest unit and the one below, without what is zero: `2 h 14 min`, `3 d`. */
export function durationOf(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / MINUTE_MS);
  const units = [
    [Math.floor(minutes / (24 * 60)), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const;
  const largest = units.findIndex(([count]) => count > 0);
  return largest === -1
    ? 'less than a minute'
    : units
        .slice(largest, largest + 2)
        .flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`]))
        .join(' ');
}
