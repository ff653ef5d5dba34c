import { html, type Html } from './html.ts';
import { sizeOf } from './units.ts';

/** On the screen, in pixels, however many sizes there are. */
const WIDTH = 116;
const HEIGHT = 28;

/** Between two sizes, in the units of the path. */
const STEP = 4;

/**
 * Sizes as an area over the time of the dumps, from nothing at the bottom to the largest at the top.
 *
 * @param sizes in bytes, oldest first; at least one
 */
export function sparkline(sizes: readonly number[]): Html {
  const largest = Math.max(...sizes, 1);
  const [first = 0, ...others] = sizes.map((bytes) => HEIGHT - Math.round((bytes / largest) * HEIGHT));
  const line = others.map((y, index) => `${STEP} ${y - (others[index - 1] ?? first)}`);
  // A single one is a bar.
  const path = `M0 ${HEIGHT}V${first}${line.length === 0 ? `h${STEP}` : `l${line.join(' ')}`}V${HEIGHT}z`;
  const width = Math.max(line.length, 1) * STEP;
  return html`<svg
      role="img"
      width="${WIDTH}"
      height="${HEIGHT}"
      viewBox="0 0 ${width} ${HEIGHT}"
      preserveAspectRatio="none"
    >
      <title>${titleOf(sizes)}</title>
      <path d="${path}" /></svg
    ><small>${rangeOf(sizes)}</small>`;
}

function titleOf({ length }: readonly number[]): string {
  return length === 1 ? 'Size of the only dump' : `Sizes of the last ${length} dumps, the newest on the right`;
}

function rangeOf(sizes: readonly number[]): string {
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)].map(sizeOf);
  return smallest === largest ? (largest ?? '') : `${smallest ?? ''} to ${largest ?? ''}`;
}
