import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { formatBytes, progressLine, withProgress } from '../../docker/progress.ts';

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [308_200_000, '308.2 MB'],
  [1.58e9, '1.6 GB'],
  [2e15, '2000.0 TB'],
])('%d bytes are formatted as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a line has bytes so far, rate and percentage', () => {
  const phase = { name: 'Dumping', done: () => 0, total: { bytes: 1_580_000_000, what: 'of the database' } };
  expect(progressLine(phase, 300_000_000, 20)).toBe(
    'Dumping: 300.0 MB in 20 s, 15.0 MB/s, 18 % of the database (1.6 GB)',
  );
});

let written: string[];

beforeEach(() => {
  jest.useFakeTimers();
  written = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test('a phase logs its progress at least every 30 s and at its end, but not afterwards', async () => {
  let finish: () => void = () => undefined;
  let bytes = 0;
  const phase = { name: 'Dumping', done: () => bytes, total: { bytes: 4000, what: 'of it' } };
  const running = withProgress(phase, () => new Promise<void>((resolve) => (finish = resolve)));
  bytes = 1000;
  await jest.advanceTimersByTimeAsync(30_000);
  expect(written.at(-1)).toBe('Dumping: 1.0 kB in 30 s, 33 bytes/s, 25 % of it (4.0 kB)\n');
  bytes = 4000;
  finish();
  await running;
  const lines = written.length;
  expect(written.at(-1)).toContain('100 % of it');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(written).toHaveLength(lines);
});

test('a phase that fails does not log a final line', async () => {
  const phase = { name: 'Dumping', done: () => 0, total: { bytes: 1, what: 'of it' } };
  await expect(withProgress(phase, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(written).toEqual([]);
});
