import { expect, test } from '@jest/globals';
import { parseOptions } from '../../../operator/status/options.ts';

test('options and secrets are parsed', () => {
  expect(parseOptions([])).toEqual({ secrets: [], stack: 'AutoDump', json: false });
  expect(parseOptions(['--', 'a', '--json', '--stack', 'Ours', '--html', 'page.html', 'b'])).toEqual({
    secrets: ['a', 'b'],
    stack: 'Ours',
    json: true,
    html: 'page.html',
  });
  expect(parseOptions(['a', '-h'])).toBe('help');
});

test.each([
  [['--jsno'], "Unknown option '--jsno'. See --help."],
  [['--stack', '-x'], /^--stack needs a value\. One that begins with a dash .* See --help\.$/],
  [['--html'], /Option '--html <value>' argument missing/],
  [['--html', ''], '--html is empty. See --help.'],
  [['--stack='], '--stack is empty. See --help.'],
  [['a', ''], 'SECRET is empty. See --help.'],
])('%j are refused', (args, message) => {
  expect(() => parseOptions(args)).toThrow(expect.objectContaining({ name: 'InvalidOptions', exitStatus: 2 }));
  expect(() => parseOptions(args)).toThrow(message);
});
