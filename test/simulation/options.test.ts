import { describe, expect, test } from '@jest/globals';
import { Misuse } from '../../local/host/misuse.ts';
import { parseOptions } from '../../simulation/options.ts';

const DEFAULTS = { kind: 'simulation', secrets: 500, days: 365, seed: 7, busy: false };

test.each([
  [[], DEFAULTS],
  [['--', '--secrets', '20', '--days', '3', '--seed', '1', '--busy'], { secrets: 20, days: 3, seed: 1, busy: true }],
  [['--only', '3, 17'], { only: [3, 17] }],
  [['--keep', '17.0,9f1c2ab3'], { keep: ['17.0', '9f1c2ab3'] }],
  [['--keep', ''], { keep: [] }],
])('%j is taken', (args, expected) => {
  expect(parseOptions(args, 7)).toEqual({ ...DEFAULTS, ...expected });
});

test('--scale is a simulation of another kind', () => {
  expect(parseOptions(['--scale'], 7)).toEqual({ kind: 'scale' });
});

describe('is refused, with what is allowed:', () => {
  test.each([
    [['--only', ' '], '--only must be a list of secret numbers, separated by commas, such as 3,17, not " "'],
    [['--only', ''], '--only must be a list'],
    [['--only', '3,,4'], '--only must be a list'],
    [['--only', '0x10'], '--only must be a list'],
    [['--only', '500'], '--only names 500; secrets are numbered from 0 to 499'],
    [['--keep', ' '], '--keep must be a list of ids'],
    [['--keep', 'everything'], '--keep must be a list of ids'],
    [['--secrets', ' 5 '], '--secrets must be a whole number from 1 to 100000, not " 5 "'],
    [['--secrets', '1e3'], '--secrets must be a whole number'],
    [['--days', '0'], '--days must be a whole number from 1 to 3650'],
    [
      ['--seed', '-1'],
      /^--seed needs a value\. One that begins with a dash follows an equals sign: --seed=-1\. See --help\.$/,
    ],
    [['--seed', '--days'], /^--seed needs a value/],
    [['--seed=-1'], '--seed must be a whole number of up to 15 digits, not "-1"'],
    [['--seed'], /Option '--seed <value>' argument missing\. See --help\.$/],
    [['--scale', '--secrets', '10'], '--scale takes no other option, so remove --secrets'],
    [['--scale', '--busy', '--only', '3'], 'remove --busy, --only'],
    [['--seeds', '1'], "Unknown option '--seeds'. See --help."],
  ])('%j', (args, message) => {
    expect(() => parseOptions(args, 7)).toThrow(Misuse);
    expect(() => parseOptions(args, 7)).toThrow(message);
  });
});
