import { expect, test } from '@jest/globals';
import { statisticsOptions } from '../../../docker/engine/pg-dump.ts';
import { type Filters, NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';

test.each<[string, number, Partial<Filters>, readonly string[]]>([
  ['are dumped from pg_dump 18 on', 18, {}, ['--statistics']],
  ['are unknown to earlier ones', 17, {}, []],
  ['are dumped of what filters leave', 18, { excludetables: ['audit.*'] }, ['--statistics']],
  ['would reveal values of rows that are left out', 18, { excludetabledata: ['customers'] }, []],
])('planner statistics %s', (_, major, filters, options) => {
  expect(statisticsOptions({ major }, { ...NO_FILTERS, ...filters })).toEqual(options);
});
