import { describe, expect, test } from '@jest/globals';
import { missingStatistics, withoutStatistics } from '../../../docker/restore/statistics.ts';
import type { ArchiveObject, TableOfContents } from '../../../docker/restore/stored-dump/table-of-contents.ts';

function contents(statistics: readonly number[]): Pick<TableOfContents, 'steps'> {
  return { steps: { contents: [1], remarks: [], statistics, 'event triggers': [] } };
}

test.each([
  ['the dump has none', { contents: contents([]), wasEmpty: true, serverMajor: 18 }, 'contains no planner statistics'],
  ['the database has rows of its own', { contents: contents([2]), wasEmpty: false, serverMajor: 18 }, 'was not empty'],
  ['the server cannot take them', { contents: contents([2]), wasEmpty: true, serverMajor: 17 }, 'PostgreSQL 17'],
])('planner statistics are not restored if %s', (_, restore, reason) => {
  expect(withoutStatistics(restore)).toContain(reason);
});

test('planner statistics are restored into an empty database of PostgreSQL 18', () => {
  expect(withoutStatistics({ contents: contents([2]), wasEmpty: true, serverMajor: 18 })).toBeUndefined();
});

describe('after that, ANALYZE is still to be run', () => {
  const extended: ArchiveObject = { id: 3, kind: 'STATISTICS', schema: 'public', name: 's', definition: '' };

  test.each<[string, readonly ArchiveObject[], number, string | undefined]>([
    ['for those that the server refused', [], 2, '2 of the planner statistics of the dump were not restored'],
    ['for extended statistics, which no dump has', [extended], 0, 'CREATE STATISTICS'],
  ])('%s', (_, objects, refused, reason) => {
    expect(missingStatistics(objects, refused)).toContain(reason);
  });

  test('for nothing else', () => {
    expect(missingStatistics([], 0)).toBeUndefined();
  });
});
