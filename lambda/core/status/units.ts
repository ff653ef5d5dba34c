const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

const NUMBER = new Intl.NumberFormat('en');
const THREE_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** `1,234,567` */
export function countOf(value: number): string {
  return NUMBER.format(value);
}

/** In units of a thousand: `1.23 GB`. */
export function sizeOf(bytes: number): string {
  if (bytes === 1) {
    return '1 byte';
  }
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${THREE_DIGITS.format(value)} ${SIZES[unit] ?? ''}`;
}
