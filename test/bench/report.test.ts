import { expect, test } from '@jest/globals';
import { comparisons, type Row, table } from '../../bench/report.ts';

const USAGE = { memory: 0, memoryWithChildren: 0, disk: 0, bytes: 0, serverCpu: 0, s3Cpu: 0 };

function row(method: string, seconds: number, cpuSeconds: number): Row {
  return { method, seconds, cpuSeconds, ...USAGE };
}

const ROWS = [
  row('file', 11, 5.5),
  row('file without census', 10, 5),
  row('file', 99, 99),
  row('file', 10, 5),
  row('stream', 1, 1),
];

test('the cost of the census is in one line, with the medians of what was measured with and without it', () => {
  expect(comparisons(ROWS)).toBe('\n\nwith / without census: file 1.10 x CPU s, 1.10 x wall s');
  expect(comparisons([row('raw', 1, 1)])).toBe('');
});

test('a restore is compared with one by hand', () => {
  const rows = [row('restore by hand', 10, 2), row('restore', 12, 3)];
  expect(comparisons(rows)).toBe('\n\nrestore / by hand: 1.50 x CPU s, 1.20 x wall s');
});

test('a ratio to a method that was not measured is a dash', () => {
  const [, line = ''] = table(ROWS, ['file']).split('\n');
  expect(line.split(/ {2,}/).slice(0, 4)).toEqual(['file', '11.0', '-', '-']);
});
