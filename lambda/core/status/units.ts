import prettyBytes from 'pretty-bytes';

const NUMBER = new Intl.NumberFormat('en');

/** `1,234,567` */
export function countOf(value: number): string {
  return NUMBER.format(value);
}

/** In units of a thousand: `1.23 GB`. */
export function sizeOf(bytes: number): string {
  return prettyBytes(bytes);
}
