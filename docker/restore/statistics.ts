import type { ArchiveObject, TableOfContents } from './stored-dump/table-of-contents.ts';

/** First major of a server that can be given planner statistics, by functions that pg_restore calls. */
const STATISTICS_SINCE = 18;

interface StatisticsTarget {
  readonly contents: Pick<TableOfContents, 'steps'>;
  /** Whether the database was empty. */
  readonly wasEmpty: boolean;
  readonly serverMajor: number;
}

/**
 * Why the planner statistics of an archive are not to be restored, as the end of a sentence; undefined if they are.
 * Those of a table that keeps its own rows would be wrong.
 */
export function withoutStatistics({ contents, wasEmpty, serverMajor }: StatisticsTarget): string | undefined {
  if (contents.steps.statistics.length === 0) {
    return 'the dump contains no planner statistics';
  }
  if (!wasEmpty) {
    return 'the planner statistics of the dump were left out, since the database was not empty';
  }
  return serverMajor < STATISTICS_SINCE
    ? `PostgreSQL ${serverMajor} cannot be given the planner statistics of the dump`
    : undefined;
}

/** Likewise why some are missing after they were restored. */
export function missingStatistics(objects: readonly ArchiveObject[], refused: number): string | undefined {
  if (refused > 0) {
    return `${refused} of the planner statistics of the dump were not restored: see above`;
  }
  // https://www.postgresql.org/docs/18/app-pgdump.html, under "Notes".
  return objects.some(({ kind }) => kind === 'STATISTICS')
    ? 'a dump contains no statistics of what CREATE STATISTICS defines'
    : undefined;
}
