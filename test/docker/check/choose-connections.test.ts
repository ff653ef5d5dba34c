import { expect, test } from '@jest/globals';
import { chooseJobs } from '../../../docker/check/choose-connections.ts';
import type { DumpLoad } from '../../../docker/postgres/dump-load.ts';

test.each<[string, number, number, Partial<DumpLoad>, object]>([
  ['as many as the secret asks for', 4, 4, {}, { jobs: 4 }],
  ['one if it asks for one', 1, 4, {}, { jobs: 1 }],
  ['two per processor', 4, 1, {}, { jobs: 2, reason: 'the number of processors is 1' }],
  ['one per table', 4, 4, { tables: 3 }, { jobs: 3, reason: 'the number of tables is 3' }],
  ['one without tables', 4, 4, { tables: 0 }, { jobs: 1, reason: 'the number of tables is 0' }],
  [
    'half of the free connections, less two',
    4,
    4,
    { freeConnections: 10 },
    { jobs: 3, reason: 'the number of free connections is 10' },
  ],
  ['one if none is free', 4, 4, { freeConnections: 0 }, { jobs: 1, reason: 'the number of free connections is 0' }],
  [
    'one for many large objects',
    4,
    4,
    { largeObjects: 10_000 },
    { jobs: 1, reason: 'the number of large objects is 10000 or more' },
  ],
  [
    'what is least',
    9,
    4,
    { tables: 5, freeConnections: 12 },
    { jobs: 4, reason: 'the number of free connections is 12' },
  ],
])('%s', (_, asked, processors, load, jobs) => {
  const value = { tables: 100, largeObjects: 0, freeConnections: 80, ...load };
  expect(chooseJobs(asked, processors, { value })).toEqual(jobs);
});

test('one if the server does not answer', () => {
  expect(chooseJobs(4, 4, { unseen: 'canceled' })).toEqual({ jobs: 1, reason: expect.stringContaining('canceled') });
});
