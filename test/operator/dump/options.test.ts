import { expect, test } from '@jest/globals';
import { InvalidOptions } from '../../../operator/command-line.ts';
import { parseOptions } from '../../../operator/dump/options.ts';

test('a secret is named, and may be waited for', () => {
  expect(parseOptions(['prod/orders'])).toEqual({ secret: 'prod/orders', wait: false });
  expect(parseOptions(['--', '--wait', 'prod/orders'])).toEqual({ secret: 'prod/orders', wait: true });
  expect(parseOptions(['-h'])).toBe('help');
});

test.each([
  [[], 'Name one secret: 0 were given. See --help.'],
  [['one', 'two'], 'Name one secret: 2 were given. See --help.'],
  [[''], 'SECRET is empty. See --help.'],
  [['one', '--follow'], "Unknown option '--follow'. See --help."],
])('%j is refused', (args, reason) => {
  expect(() => parseOptions(args)).toThrow(InvalidOptions);
  expect(() => parseOptions(args)).toThrow(reason);
});
