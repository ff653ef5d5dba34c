import { grouped } from '../grouped.ts';
import type { Message } from '../message.ts';
import { messageOf, type Place } from './message.ts';
import type { Notice } from './notice.ts';

/** SNS takes 262,144 bytes of text. */
const MAX_BYTES = 240_000;

const REST = '… the rest is in the log of Notify.';

/**
 * One message for many notices, the good news last. It names each; if they are too long together, the longest ones are
 * cut.
 */
export function digestOf(notices: readonly Notice[], place: Place): Message {
  const sorted = notices.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b)));
  const counts = [...grouped(sorted, ({ kind }) => kind)].map(([kind, { length }]) => `${kind} (${length})`).join(', ');
  const heading = `${notices.length} reports about account ${place.account} in ${place.region}: ${counts}.`;
  const blocks = fitting(sorted.map((notice) => linesOf(notice, place)));
  return {
    subject: `AutoDump: ${counts}`.slice(0, 99),
    text: `${[heading, ...blocks.map((lines) => lines.join('\n'))].join('\n\n')}\n`,
  };
}

function isGood({ article }: Notice): boolean {
  return article === undefined;
}

/** The lines of its own message, without the last one: the place, which is that of the whole digest. */
function linesOf(notice: Notice, place: Place): readonly string[] {
  return messageOf(notice, place).text.trimEnd().split('\n').slice(0, -1);
}

/** What the short blocks leave of their share, the longer ones may use. A first line is never left out. */
function fitting(blocks: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let [bytes, left] = [MAX_BYTES, blocks.length];
  const cut = new Map<readonly string[], readonly string[]>();
  for (const block of blocks.toSorted((a, b) => bytesOf(a) - bytesOf(b))) {
    const lines = cutTo(block, bytes / left);
    cut.set(block, lines);
    bytes -= bytesOf(lines);
    left -= 1;
  }
  return blocks.map((block) => cut.get(block) ?? block);
}

function cutTo(block: readonly string[], bytes: number): readonly string[] {
  if (bytesOf(block) <= bytes) {
    return block;
  }
  const [title = '', ...others] = block;
  const lines = [title];
  let left = bytes - bytesOf([title, REST]);
  for (const line of others) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) {
      break;
    }
    lines.push(line);
  }
  return [...lines, REST];
}

/** With the blank line that follows. */
function bytesOf(lines: readonly string[]): number {
  return Buffer.byteLength(lines.join('\n')) + 2;
}
