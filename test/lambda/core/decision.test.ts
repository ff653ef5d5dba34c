import { describe, expect, test } from '@jest/globals';
import { decide, decideFollowing, type SecretDescription } from '../../../lambda/core/decision.ts';
import { Memo } from '../../../lambda/core/memo.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const SCOPE = { stateMachineArn: MACHINE, timezoneRules: '2026c' };

const now = new Date('2026-11-22T07:00:00Z');

function secret(schedule: string, more: Partial<SecretDescription> = {}): SecretDescription {
  return { ARN, Tags: [{ Key: 'autodump:start-schedule', Value: schedule }], ...more };
}

describe('a scan', () => {
  test('starts the next run of a secret on a schedule', () => {
    const input = {
      secretArn: ARN,
      tagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
      when: '2026-11-22T08:00:00Z',
    };
    expect(decide(secret('0 8 * * *'), 'dump', now, new Memo(SCOPE))).toEqual({
      kind: 'start',
      input,
      timezone: 'UTC',
      check: {
        secretArn: ARN,
        when: input.when,
        allTagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
        following: ['2026-11-23T08:00:00Z', '2026-11-24T08:00:00Z'],
        timezone: 'UTC',
      },
    });
  });

  test.each([
    ['a secret without tags', { ARN }, 'not on a schedule'],
    ['a secret marked for deletion', secret('0 8 * * *', { DeletedDate: now }), 'marked for deletion'],
    ['a replica', secret('0 8 * * *', { PrimaryRegion: 'eu-west-1' }), 'made in eu-west-1'],
  ])('skips %s', (_, description, reason) => {
    expect(decide(description, 'dump', now, new Memo(SCOPE))).toEqual({
      kind: 'skip',
      reason: expect.stringContaining(reason),
    });
  });

  test('does not skip the primary of a replica', () => {
    expect(decide(secret('0 8 * * *', { PrimaryRegion: 'us-west-2' }), 'dump', now, new Memo(SCOPE))).toMatchObject({
      kind: 'start',
    });
  });

  test.each([
    ['0 8 * *', 'has 4 fields'],
    ['* * * * *', 'every minute'],
  ])('reports the schedule %p as invalid', (schedule, reason) => {
    expect(decide(secret(schedule), 'dump', now, new Memo(SCOPE))).toEqual({
      kind: 'invalid',
      reason: expect.stringContaining(reason),
    });
  });

  test.each([
    'autodump:Timezone',
    'autodump:time-zone',
    'AutoDump:time_zone',
    'autodump:timezone\u00A0',
    'autodump:time.zone',
    'autodump:\uFF54imezone',
  ])('reports the tag %p, which would be ignored, as invalid', (Key) => {
    const Tags = [
      { Key: 'autodump:start-schedule', Value: '@daily' },
      { Key, Value: 'America/Denver' },
    ];
    const invalid = { kind: 'invalid', reason: `the tag "${Key}" must be written autodump:timezone` };
    expect(decide({ ARN, Tags }, 'dump', now, new Memo(SCOPE))).toEqual(invalid);
    expect(decideFollowing({ ARN, Tags }, 'dump', now, now)).toEqual(invalid);
  });

  test.each([
    'autodump:Start-Schedule',
    'autodump:start_schedule',
    'autodump:start-schedule ',
    'autodump:start-schedule\u200B',
  ])('reports the tag %j, without which there is no schedule, as invalid', (Key) => {
    const wrong = { Key, Value: '@daily' };
    expect(decide({ ARN, Tags: [wrong] }, 'dump', now, new Memo(SCOPE))).toEqual({
      kind: 'invalid',
      reason: `the tag "${Key}" must be written autodump:start-schedule`,
    });
    const right = { Key: 'autodump:start-schedule', Value: '@daily' };
    expect(decide({ ARN, Tags: [wrong, right] }, 'dump', now, new Memo(SCOPE))).toMatchObject({ kind: 'start' });
  });

  test.each([
    ['2026-11-22T07:58:59.999Z', '2026-11-22T08:00:00Z'],
    ['2026-11-22T07:59:00.000Z', '2026-11-22T08:00:00Z'],
    ['2026-11-22T07:59:00.001Z', '2026-11-23T08:00:00Z'],
    ['2026-11-22T08:00:00.000Z', '2026-11-23T08:00:00Z'],
  ])('at %s skips a run less than a minute away and starts the next one: %s', (at, when) => {
    expect(decide(secret('0 8 * * *'), 'dump', new Date(at), new Memo(SCOPE))).toMatchObject({
      kind: 'start',
      input: { when },
    });
  });

  test.each([
    ['0 0 28 10 *', { kind: 'start', input: { when: '2027-10-28T00:00:00Z' } }],
    ['1 0 28 10 *', { kind: 'later', when: '2027-10-28T00:01:00Z' }],
    ['0 0 29 2 *', { kind: 'later', when: '2028-02-29T00:00:00Z' }],
  ])('leaves a run more than 340 days away to a later scan: %s', (schedule, decision) => {
    expect(decide(secret(schedule), 'dump', new Date('2026-11-22T00:00:00Z'), new Memo(SCOPE))).toMatchObject(decision);
  });
});

describe('a scan with a memo of started runs', () => {
  const memo = new Memo(SCOPE);
  const decision = decide(secret('0 8 * * *'), 'dump', now, memo);
  if (decision.kind === 'start') {
    memo.add(decision.input, now);
  }

  test('recognizes a waiting run until its scheduled time', () => {
    const late = new Date('2026-11-22T07:59:59.999Z');
    expect(decide(secret('0 8 * * *'), 'dump', late, memo)).toMatchObject({ kind: 'waiting' });
    expect(decide(secret('0 8 * * *'), 'dump', now, memo)).toEqual({ kind: 'waiting', when: '2026-11-22T08:00:00Z' });
  });

  test.each([
    ['if the tags changed', secret('0 8 * * 0'), now, '2026-11-22T08:00:00Z'],
    ['once the known one is over', secret('0 8 * * *'), new Date('2026-11-22T08:00:00Z'), '2026-11-23T08:00:00Z'],
  ])('computes the next run %s', (_, description, at, when) => {
    expect(decide(description, 'dump', at, memo)).toMatchObject({ kind: 'start', input: { when } });
  });

  test.each([
    ['marked for deletion', { DeletedDate: now }],
    ['a replica', { PrimaryRegion: 'eu-west-1' }],
  ])('still skips a secret that is %s', (_, more) => {
    expect(decide(secret('0 8 * * *', more), 'dump', now, memo)).toMatchObject({ kind: 'skip' });
  });
});

describe('rescheduling', () => {
  test.each([
    ['in time', '0 8 * * *', '2026-11-22T08:00:00Z', '2026-11-22T08:00:01Z', '2026-11-23T08:00:00Z'],
    ['ahead of time', '0 8 * * *', '2026-11-22T08:00:00Z', '2026-11-22T07:00:00Z', '2026-11-23T08:00:00Z'],
    [
      'with less than a minute to go',
      '0,1 8 * * *',
      '2026-11-22T08:00:00Z',
      '2026-11-22T08:00:01Z',
      '2026-11-22T08:01:00Z',
    ],
    ['late', '*/5 * * * *', '2026-11-22T08:00:00Z', '2026-11-22T08:17:00Z', '2026-11-22T08:20:00Z'],
  ])('%s starts the next run', (_, schedule, previous, at, when) => {
    expect(decideFollowing(secret(schedule), 'dump', new Date(previous), new Date(at))).toMatchObject({
      input: { when },
    });
  });
});

describe('drills', () => {
  const DRILL = { Key: 'autodump:drill-schedule', Value: '0 12 * * 0' };
  const description = (...tags: readonly { readonly Key: string; readonly Value: string }[]) => ({ ARN, Tags: tags });

  test('have a schedule of their own, in the same time zone, and no check of whether the secret can be dumped', () => {
    const zone = { Key: 'autodump:timezone', Value: 'America/Denver' };
    const input = {
      secretArn: ARN,
      tagsHash: expect.stringMatching(/^[0-9a-f]{32}$/),
      when: '2026-11-22T19:00:00Z',
      purpose: 'drill',
    };
    const decision = { kind: 'start', input, timezone: 'America/Denver' };
    expect(decide(description(DRILL, zone), 'drill', now, new Memo(SCOPE))).toEqual(decision);
    expect(decideFollowing(description(DRILL, zone), 'drill', now, now)).toEqual(decision);
  });

  test('that wait are no dumps that wait, even with the same schedule', () => {
    const both = description({ Key: 'autodump:start-schedule', Value: '0 8 * * *' }, { ...DRILL, Value: '0 8 * * *' });
    const memo = new Memo(SCOPE);
    const drill = decide(both, 'drill', now, memo);
    if (drill.kind === 'start') {
      memo.add(drill.input, now);
    }
    expect(decide(both, 'drill', now, memo)).toMatchObject({ kind: 'waiting' });
    expect(decide(both, 'dump', now, memo)).toMatchObject({ kind: 'start' });
  });

  test('have no dumps to do with: a secret may have a schedule only for them, and a broken one hurts only them', () => {
    const broken = { ...DRILL, Value: 'x' };
    const dump = { Key: 'autodump:start-schedule', Value: '0 8 * * *' };
    const kinds = (...tags: readonly (typeof DRILL)[]) =>
      (['dump', 'drill'] as const).map((purpose) => decide(description(...tags), purpose, now, new Memo(SCOPE)).kind);
    expect(kinds(DRILL)).toEqual(['skip', 'start']);
    expect(kinds(dump, broken)).toEqual(['start', 'invalid']);
    expect(kinds({ ...dump, Value: 'x' }, DRILL)).toEqual(['invalid', 'start']);
    expect(kinds(dump, { ...DRILL, Key: 'autodump:Drill-Schedule' })).toEqual(['start', 'invalid']);
  });
});
