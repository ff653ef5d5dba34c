import { expect, test } from '@jest/globals';
import { compare } from '../../../lambda/core/comparison.ts';
import { readTags } from '../../../lambda/core/tags.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const Tags = [{ Key: 'autodump:start-schedule', Value: '0 8 * * *' }];
const started = { tagsHash: String(readTags(Tags)?.hash), when: '2026-11-22T08:00:00Z' };

test.each([
  ['unchanged', 'as it was', { ARN, Tags }],
  ['unchanged', 'with an unrelated tag added', { ARN, Tags: [...Tags, { Key: 'team', Value: 'orders' }] }],
  ['changed', 'with another schedule', { ARN, Tags: [{ Key: 'autodump:start-schedule', Value: '0 9 * * *' }] }],
  ['changed', 'with an invalid schedule', { ARN, Tags: [{ Key: 'autodump:start-schedule', Value: 'x' }] }],
  ['changed', 'with a zone', { ARN, Tags: [...Tags, { Key: 'autodump:timezone', Value: 'Europe/Berlin' }] }],
  ['removed', 'without its tag', { ARN, Tags: [] }],
  ['gone', 'marked for deletion', { ARN, Tags, DeletedDate: new Date() }],
  ['gone', 'that no longer exists', undefined],
])('%s: a secret %s, with a reason', (outcome, _, secret) => {
  expect(compare(secret, started)).toEqual({ outcome, reason: expect.stringMatching(/^[A-Z].+\.$/) });
});

test.each([
  // The time of that run under the rules before 2026c.
  ['Africa/Casablanca', '0 8 1 * *', '2026-10-01T07:00:00Z', 'moved'],
  ['Africa/Casablanca', '0 8 1 * *', '2026-10-01T08:00:00Z', 'unchanged'],
])('in %s, where the rules changed, %s at %s is %s', (timezone, schedule, when, outcome) => {
  const tags = [
    { Key: 'autodump:start-schedule', Value: schedule },
    { Key: 'autodump:timezone', Value: timezone },
  ];
  const { hash: tagsHash } = readTags(tags) ?? { hash: '' };
  expect(compare({ ARN, Tags: tags }, { tagsHash, when })).toMatchObject({ outcome });
});

test.each([
  ['at this moment', '2026-11-22T09:13:07Z', 'unchanged'],
  ['an hour before', '2026-11-22T08:13:07Z', 'unchanged'],
  ['a minute later', '2026-11-22T09:14:07Z', 'moved'],
])(
  'a run that is started for a time that is not on the schedule, %s, is of unchanged tags unless it waits: %s is %s',
  (_, when, outcome) => {
    expect(compare({ ARN, Tags }, { ...started, when, started: '2026-11-22T09:13:06.999Z' })).toMatchObject({
      outcome,
    });
  },
);

test('a schedule that is no longer valid is left to the Reschedule function, which reports it', () => {
  const invalid = [{ Key: 'autodump:start-schedule', Value: 'x' }];
  const { hash: tagsHash } = readTags(invalid) ?? { hash: '' };
  expect(compare({ ARN, Tags: invalid }, { tagsHash, when: started.when })).toMatchObject({ outcome: 'unchanged' });
});

test.each([
  ['unchanged', [...Tags, { Key: 'autodump:drill-schedule', Value: '@weekly' }]],
  ['unchanged', [{ Key: 'autodump:drill-schedule', Value: '@weekly' }]],
  ['changed', [...Tags, { Key: 'autodump:drill-schedule', Value: '@daily' }]],
  ['removed', Tags],
])('%s: a drill, by the tags %j', (outcome, tags) => {
  const drill = readTags([{ Key: 'autodump:drill-schedule', Value: '@weekly' }], 'drill');
  const run = { tagsHash: String(drill?.hash), when: '2026-11-22T00:00:00Z', purpose: 'drill' } as const;
  expect(compare({ ARN, Tags: tags }, run)).toMatchObject({ outcome });
});

test('the schedule of drills does not change that of dumps', () => {
  const tags = [...Tags, { Key: 'autodump:drill-schedule', Value: '@weekly' }];
  expect(compare({ ARN, Tags: tags }, started)).toMatchObject({ outcome: 'unchanged' });
});
