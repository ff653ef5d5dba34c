import type { SecretStatus } from '../../../contract.ts';
import { grouped } from '../grouped.ts';
import { html, type Html } from './html.ts';
import { countOf, timeOf } from './units.ts';

/** How many tables of a secret the page names. The status has more. */
const MAX_TABLES = 3;

type Vanished = NonNullable<SecretStatus['vanished']>;

/** The tables of a secret that lost most, with the dumps that still have their rows. */
export function vanishedOf({ vanished }: SecretStatus): readonly Html[] {
  if (vanished === undefined) {
    return [];
  }
  const tables = vanished.tables.slice(0, MAX_TABLES);
  const more = vanished.tables.length - tables.length + vanished.more;
  const byDump = grouped(tables, ({ earlier: { bucket, key } }) => `${bucket}/${key}`);
  return [
    ...[...byDump].map(([dump, group]) => lostTogether(dump, group)),
    ...(more === 0 ? [] : [html`<p>${countOf(more)} more ${more === 1 ? 'table' : 'tables'} lost rows.</p>`]),
  ];
}

/** @param dump the last one that still has the rows, as `bucket/key` */
function lostTogether(dump: string, tables: Vanished['tables']): Html {
  return html`<p>Rows have been missing since the dump of ${timeOf(tables[0]?.since ?? '')}:</p>
    <ul>
      ${tables.map(({ table, before, after }) => html`<li>${table}: ${lossWords(before, after)}</li>`)}
    </ul>
    <small>The last dump that has them: <code>s3://${dump}</code></small>`;
}

/** `1,204,331 rows, now 3,120` */
function lossWords(before: number, after: number | 'gone'): string {
  const rows = `${countOf(before)} ${before === 1 ? 'row' : 'rows'}`;
  return after === 'gone' ? `${rows}, and now the table is gone` : `${rows}, now ${countOf(after)}`;
}
