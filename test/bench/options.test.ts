import { expect, test } from '@jest/globals';
import { METHODS } from '../../bench/methods.ts';
import { parseOptions } from '../../bench/options.ts';

test('measures all methods by default', () => {
  expect(parseOptions([])).toEqual({ size: 1e9, rounds: 3, shape: 'several', methods: METHODS });
});

test('measures some methods, in the order of a round', () => {
  expect(parseOptions(['--methods', 'file without census, file']).methods).toEqual(['file', 'file without census']);
});

test('refuses an unknown method by name', () => {
  expect(() => parseOptions(['--methods', 'file,files'])).toThrow(
    '--methods must be of predecessor, raw, directory, file, file without census, stream, stream without census, parallel 2, parallel 4, restore by hand, restore, not files.',
  );
});

test('asks for an equals sign before a value that begins with a dash', () => {
  expect(() => parseOptions(['--size', '-1GB'])).toThrow('--size needs a value. One that begins with a dash');
});

test('takes sizes with a unit', () => {
  expect(parseOptions(['--size', '1.5GB', '--disk', '700 MB'])).toMatchObject({ size: 1.5e9, disk: 7e8 });
});

test.each(['700', '0MB', 'x', '1TB'])('refuses a disk of %s', (disk) => {
  expect(() => parseOptions(['--disk', disk])).toThrow(
    `--disk must be a positive number with MB or GB, such as 1.5GB, not ${disk}.`,
  );
});
