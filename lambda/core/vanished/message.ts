import { KEPT_LONGER_DAYS } from '../../../contract.ts';
import { type StoredDump, whenOf } from '../freshness/dump-key.ts';
import { type AccountRegion, fittingBlocks, type Message } from '../message.ts';
import { onOneLine } from '../words/one-line.ts';
import type { VanishedTable } from './comparison.ts';

/** What a dump lacks of the rows of an earlier one. */
export interface VanishedRows {
  /** Name of the secret. */
  readonly secret: string;
  readonly dump: StoredDump;
  /** The last dump before it of which the rows were compared: it still has them. */
  readonly earlier: StoredDump;
  /** Those that lost most come first. */
  readonly tables: readonly VanishedTable[];
  /** What else there is to know, in a whole sentence. */
  readonly note?: string | undefined;
}

/** The same, as it is reported: also the event on the bus. */
export interface VanishedNews extends VanishedRows {
  readonly kind: 'rows vanished';
  readonly kept: boolean;
  /** Why the earlier dump is not kept from expiry, in a whole sentence. */
  readonly notKept?: string;
  /** How many more tables there are. */
  readonly more: number;
}

/** An event has at most 256 KiB. */
const MAX_TABLES = 50;

/** @param notKept why the earlier dump is not kept from expiry; undefined if it is */
export function vanishedNews(rows: VanishedRows, notKept: string | undefined): VanishedNews {
  return {
    kind: 'rows vanished',
    ...rows,
    tables: rows.tables.slice(0, MAX_TABLES),
    more: Math.max(rows.tables.length - MAX_TABLES, 0),
    kept: notKept === undefined,
    ...(notKept === undefined ? {} : { notKept }),
  };
}

/** One message about all dumps that lack rows. Plain text that reads well in an e-mail and in a chat. */
export function vanishedMessage(news: readonly VanishedNews[], { account, region }: AccountRegion): Message {
  const [first] = news;
  const secrets = new Set(news.map(({ secret }) => secret));
  const what = secrets.size === 1 && first !== undefined ? onOneLine(first.secret) : `${secrets.size} secrets`;
  const blocks = [
    ...fittingBlocks(
      news.map((one) => blockOf(one).join('\n')),
      'in the log of Freshness',
    ),
    `Where: account ${account}, ${region}`,
  ];
  const subject = `AutoDump: rows vanished: ${what}`.replace(/[^ -~]/g, '?').slice(0, 99);
  return { subject, text: `${blocks.join('\n\n')}\n` };
}

function blockOf({ secret, dump, earlier, tables, more, note, notKept }: VanishedNews): readonly string[] {
  return [
    `ROWS VANISHED: ${onOneLine(secret)}`,
    ...tables.map(({ table, before, after }) => `${onOneLine(table)}: ${counted(before)}, now ${counted(after)}`),
    ...(more > 0 ? [`… and ${more} more tables`] : []),
    `Newest dump: ${inWords(dump)}`,
    `Last dump that still has them: ${inWords(earlier)}`,
    notKept === undefined
      ? `Kept: yes, that dump expires ${KEPT_LONGER_DAYS} days later than the stack's retention`
      : `Kept: no. ${onOneLine(notKept)}`,
    ...(note === undefined ? [] : [onOneLine(note)]),
    'What to do: docs/operations.md#rows-vanished',
  ];
}

function counted(rows: VanishedTable['after']): string {
  return rows === 'gone' ? rows : rows.toLocaleString('en');
}

function inWords({ bucket, key }: StoredDump): string {
  return `s3://${bucket}/${onOneLine(key)}, scheduled for ${whenOf(key) ?? ''}`;
}
