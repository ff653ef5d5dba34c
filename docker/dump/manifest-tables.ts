import type { TableCensus } from '../census/census-taker.ts';
import type { Table } from '../postgres/inventory.ts';
import type { Manifest } from './manifest.ts';

type ManifestTable = NonNullable<Manifest['tables']>[number];

/**
 * The tables of the database as they were seen before the dump, with what the dump has of them, and after them those that were
 * created in between.
 */
export function tablesOf(tables: readonly Table[], census: readonly TableCensus[]): ManifestTable[] {
  const dumped = new Map(census.map((table) => [table.oid, table]));
  const seen = new Set(tables.map(({ oid }) => oid));
  return [
    ...tables.map(({ oid, ...table }) => ({ ...table, ...proven(dumped.get(oid)) })),
    ...census
      .filter(({ oid }) => !seen.has(oid))
      .map((table) => ({ schema: table.schema, name: table.name, rows: null, bytes: 0, ...proven(table) })),
  ];
}

function proven(table?: TableCensus): Pick<ManifestTable, 'provenRows' | 'contentHash' | 'offset' | 'length'> {
  return {
    provenRows: table?.count ?? null,
    contentHash: table?.hash ?? null,
    offset: table?.offset ?? null,
    length: table?.length ?? null,
  };
}
