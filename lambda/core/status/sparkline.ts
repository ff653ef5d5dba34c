import { html, type Html } from './html.ts';
import { sizeOf } from './units.ts';

/** In pixels. The style gives the element these. */
const WIDTH = 116;
const HEIGHT = 28;

/**
 * Sizes as an area over the dumps, from nothing at the bottom to the largest at the top.
 *
 * @param sizes in bytes, oldest first; at least one
 */
export function sparkline(sizes: readonly number[]): Html {
  const largest = Math.max(...sizes, 1);
  const step = WIDTH / Math.max(sizes.length - 1, 1);
  // A single one is as wide as all others would be.
  const points = [...sizes, ...(sizes.length === 1 ? sizes : [])].map((bytes, index) => ({
    x: Math.round(index * step),
    y: HEIGHT - Math.round((bytes / largest) * HEIGHT),
  }));
  const [first = { x: 0, y: 0 }, ...others] = points;
  const line = others.map(({ x, y }, index) => {
    const before = points[index] ?? first;
    return `${x - before.x} ${y - before.y}`.replace(' -', '-');
  });
  return html`<svg role="img">
      <title>${titleOf(sizes)}</title>
      <path d="M0 ${HEIGHT}V${first.y}l${line.join(' ')}V${HEIGHT}z" /></svg
    ><small>${rangeOf(sizes)}</small>`;
}

function titleOf({ length }: readonly number[]): string {
  return length === 1 ? 'Size of the only dump' : `Sizes of the last ${length} dumps`;
}

function rangeOf(sizes: readonly number[]): string {
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)].map(sizeOf);
  return smallest === largest ? (largest ?? '') : `${smallest ?? ''} to ${largest ?? ''}`;
}
