import prettyBytes from 'pretty-bytes';
import { html, type Html } from './html.ts';

const NUMBER = new Intl.NumberFormat('en');

/** `1,234,567` */
export function countOf(value: number): string {
  return NUMBER.format(value);
}

/** In units of a thousand: `1.23 GB`. */
export function sizeOf(bytes: number): string {
  return prettyBytes(bytes);
}

/** `2026-11-22 08:00 UTC` */
export function utc(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

/** A time in a sentence, as one word. */
export function timeOf(time: string): Html {
  return html`<time>${utc(time)}</time>`;
}
