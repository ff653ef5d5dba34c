import { formatBytes } from '../progress.ts';
import { counted } from '../restore/census/result.ts';
import type { TableInDump } from './read-table.ts';

/** What a dump has of a table, in words. */
export function inWords(table: TableInDump): string {
  switch (table.kind) {
    case 'counted':
      return `${counted(table.rows, 'row')}, ${formatBytes(table.bytes)}${ofPartitions(table.partitions)}`;
    case 'estimated':
      return table.rows === null ? 'an unknown number of rows' : `about ${counted(table.rows, 'row')}`;
    case 'no table':
      return 'no such table in its manifest';
    case 'no rows':
    case 'unknown':
      return `${table.kind}: ${table.reason}`;
  }
}

function ofPartitions(partitions: Extract<TableInDump, { kind: 'counted' }>['partitions']): string {
  if (partitions === undefined) {
    return '';
  }
  const without = partitions.withoutRows === 0 ? '' : `, without the rows of ${partitions.withoutRows} more`;
  return ` in ${counted(partitions.counted, 'partition')}${without}`;
}

/** How a dump differs from the one before, in words; empty if that is unknown. */
export function changeOf(before: TableInDump | undefined, table: TableInDump): string {
  if (before?.kind !== 'counted' || table.kind !== 'counted') {
    return '';
  }
  if (before.hash === table.hash && before.rows === table.rows) {
    return 'the same rows';
  }
  const rows = table.rows - before.rows;
  const bytes = table.bytes - before.bytes;
  return [
    rows === 0 ? 'as many rows, with other contents' : `${sign(rows)}${counted(Math.abs(rows), 'row')}`,
    `${sign(bytes)}${formatBytes(Math.abs(bytes))}`,
  ].join(', ');
}

function sign(difference: number): string {
  return difference < 0 ? '-' : '+';
}
