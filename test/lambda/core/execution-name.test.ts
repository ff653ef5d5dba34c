import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Purpose } from '../../../contract.ts';
import { checkName, executionName, formatWhen, secretName, secretRegion } from '../../../lambda/core/execution-name.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:';
const input = { secretArn: `${ARN}prod/orders-a1B2c3`, tagsHash: 'f00d', when: '2026-11-22T08:00:00Z' };

const inputs = fc.record({
  // All that Secrets Manager allows in a name.
  secretArn: fc.stringMatching(/^[0-9A-Za-z/_+=.@-]{1,512}$/).map((name) => `${ARN}${name}-a1B2c3`),
  tagsHash: fc.stringMatching(/^[0-9a-f]{32}$/),
  when: fc.date({ min: new Date('2026-01-01'), max: new Date('2036-12-31'), noInvalidDate: true }).map(formatWhen),
  purpose: fc.constantFrom<Purpose>('dump', 'drill'),
});

describe('the name of an execution', () => {
  test('is readable: secret, time, hash', () => {
    // Waiting executions have this name, so a release that changes it would start every run twice.
    expect(executionName(input)).toBe('prod_orders-20261122T080000Z-2b845bb09f67ffb8df2ed657');
    expect(executionName({ ...input, purpose: 'dump' })).toBe(executionName(input));
    expect(executionName({ ...input, purpose: 'drill' })).toMatch(/^prod_orders-drill-20261122T080000Z-[0-9a-f]{24}$/);
  });

  test('is valid for Step Functions', () => {
    fc.assert(
      fc.property(inputs, (any) => {
        expect(executionName(any)).toMatch(/^[0-9A-Za-z_-]{1,80}$/);
      }),
    );
  });

  test('is the same for the same run, and different for any other', () => {
    fc.assert(
      fc.property(inputs, inputs, (one, other) => {
        expect(executionName({ ...one })).toBe(executionName(one));
        const names = [
          one,
          { ...one, secretArn: other.secretArn },
          { ...one, tagsHash: other.tagsHash },
          { ...one, purpose: other.purpose },
        ];
        const keys = new Set(names.map((each) => JSON.stringify(each)));
        expect(new Set(names.map(executionName)).size).toBe(keys.size);
      }),
    );
  });
});

test('the name of a check does not depend on the time, and is that of no run', () => {
  const { secretArn, tagsHash: allTagsHash } = input;
  expect(checkName({ secretArn, allTagsHash })).toMatch(/^prod_orders-check-[0-9a-f]{24}$/);
  fc.assert(
    fc.property(inputs, inputs, (one, other) => {
      const name = checkName({ secretArn: one.secretArn, allTagsHash: one.tagsHash });
      const otherName = checkName({ secretArn: one.secretArn, allTagsHash: other.tagsHash });
      expect(name).toMatch(/^[0-9A-Za-z_-]{1,80}$/);
      expect(name === otherName).toBe(one.tagsHash === other.tagsHash);
      expect(name).not.toBe(executionName(one));
    }),
  );
});

test.each([
  ['prod/orders-a1B2c3', 'prod/orders'],
  ['with-hyphen-in-it-ZZZZZZ', 'with-hyphen-in-it'],
  ['ends-in-abcdef-a1B2c3', 'ends-in-abcdef'],
])('the name in the ARN of %s is %s', (resource, name) => {
  expect(secretName(`${ARN}${resource}`)).toBe(name);
  expect(secretRegion(`${ARN}${resource}`)).toBe('us-west-2');
});

test('a time is written in UTC, in whole seconds', () => {
  expect(formatWhen(new Date('2026-11-22T09:00:00.999+01:00'))).toBe('2026-11-22T08:00:00Z');
});
