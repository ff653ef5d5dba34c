import { expect, test } from '@jest/globals';
import { chooseJobs, type JobsBasis } from '../../../docker/dump/choose-jobs.ts';

const BASIS: JobsBasis = {
  asked: undefined,
  estimate: 100e9,
  processors: 4,
  load: { tableBytes: 90e9, largestBytes: 9e9, largeObjects: 0, freeConnections: 80 },
};

const load = (changes: Partial<NonNullable<JobsBasis['load']>>) => ({
  load: { tableBytes: 90e9, largestBytes: 9e9, largeObjects: 0, freeConnections: 80, ...changes },
});

test.each<[string, Partial<JobsBasis>, number, string]>([
  ['as many as there are processors', {}, 4, '4 processors'],
  ['as many as the secret says', { asked: 7, processors: 1 }, 7, 'the secret'],
  ['one, if the secret says so', { asked: 1 }, 1, 'the secret'],
  ['as many as the secret says, for a small database', { asked: 2, estimate: 1e6 }, 2, 'the secret'],
  ['one for a small database', { estimate: 0.9e9 }, 1, 'larger than'],
  ['one if the server does not answer', { load: undefined }, 1, 'did not say'],
  ['one on one processor', { processors: 1 }, 1, '1 processors'],
  ['no more than eight', { processors: 16 }, 8, 'slow down'],
  ['half of the free connections, less two', load({ freeConnections: 10 }), 3, '10 connections are free'],
  ['one if no connection is free', load({ freeConnections: 0 }), 1, '0 connections are free'],
  ['two if one table is most of the database', load({ largestBytes: 80e9 }), 2, 'largest table'],
  ['one if there is one table', load({ largestBytes: 90e9 }), 1, 'largest table'],
  ['as many as processors if no table was analyzed', load({ tableBytes: 0, largestBytes: 0 }), 4, '4 processors'],
  ['one if there are very many large objects', load({ largeObjects: 10_000 }), 1, 'large objects'],
])('%s', (_, changes, jobs, reason) => {
  expect(chooseJobs({ ...BASIS, ...changes })).toEqual({ jobs, reason: expect.stringContaining(reason) });
});
