import { expect, test } from '@jest/globals';
import { InvalidOptions } from '../../../operator/command-line.ts';
import { parseOptions } from '../../../operator/undeploy/options.ts';

test('options are parsed, with context in order', () => {
  expect(parseOptions([])).toEqual({ context: [], force: false });
  expect(parseOptions(['--', '-c', 'vpcId=vpc-1', '--context', 'a=b=c', '--force'])).toEqual({
    context: ['vpcId=vpc-1', 'a=b=c'],
    force: true,
  });
  expect(parseOptions(['-h'])).toBe('help');
});

test.each([
  [['--yes'], "Unknown option '--yes'. See --help."],
  [['AutoDump'], /Unexpected argument 'AutoDump'.*See --help\./],
  [['-c', 'vpcId'], '--context is "vpcId": allowed is KEY=VALUE. See --help.'],
])('%j is refused', (args, reason) => {
  expect(() => parseOptions(args)).toThrow(InvalidOptions);
  expect(() => parseOptions(args)).toThrow(reason);
});
