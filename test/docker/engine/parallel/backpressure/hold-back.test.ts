import { expect, test } from '@jest/globals';
import { type DiskState, heldBack } from '../../../../../docker/engine/parallel/backpressure/hold-back.ts';

const WORKERS = [
  { pid: 1, table: 101 },
  { pid: 2, table: 102 },
  { pid: 3, table: undefined },
];

const state = { freeAtStart: 1000, free: 400, sentTable: 102, isIdle: false };

test.each<[string, Partial<DiskState>, readonly number[]]>([
  ['nobody waits while half of the disk is free', { free: 500 }, []],
  ['those wait whose tables are not being sent when less than half is free', { free: 499 }, [1, 3]],
  ['all wait when less than a quarter is free', { free: 249 }, [1, 2, 3]],
  ['all but one go on waiting when everything has been sent', { free: 249, isIdle: true }, [1, 3]],
  ['nobody waits if no table is being sent', { sentTable: undefined }, []],
  ['nobody waits for a table that nobody writes any more', { sentTable: 103 }, []],
  ['all wait for what is being sent', { sentTable: undefined, free: 249 }, [1, 2, 3]],
  ['nobody waits when everything has been sent', { sentTable: undefined, free: 249, isIdle: true }, []],
])('of the workers of pg_dump, %s', (_, changes, pids) => {
  expect(heldBack({ ...state, ...changes }, WORKERS).map(({ pid }) => pid)).toEqual(pids);
});
