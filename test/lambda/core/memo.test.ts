import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, type SecretDescription } from '../../../lambda/core/decision.ts';
import { Memo } from '../../../lambda/core/memo.ts';

const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:orders-a1B2c3';
const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';
const SCOPE = { stateMachineArn: MACHINE, timezoneRules: '2026c' };
const now = new Date('2026-11-22T07:00:00Z');
const run = { secretArn: ARN, tagsHash: 'a', when: '2026-11-22T08:00:00Z' };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function started(memo: Memo, tagsHash = 'a', at = now): string | undefined {
  return memo.nextStarted({ secretArn: ARN, tagsHash }, at);
}

describe('a memo', () => {
  test('returns a run only for its own secret, tags and purpose', () => {
    const memo = new Memo(SCOPE);
    memo.add(run, now);
    expect(started(memo)).toBe(run.when);
    expect(started(memo, 'b')).toBeUndefined();
    expect(memo.nextStarted({ secretArn: 'other', tagsHash: 'a' }, now)).toBeUndefined();
    expect(memo.nextStarted({ secretArn: ARN, tagsHash: 'a', purpose: 'drill' }, now)).toBeUndefined();
  });

  test('survives being written and read', () => {
    const memo = new Memo(SCOPE);
    memo.add(run, now);
    const read = Memo.read(memo.write(now), SCOPE);
    expect(started(read)).toBe(run.when);
  });

  test('drops a run that is over, and one whose name Step Functions may have released', () => {
    const memo = new Memo(SCOPE);
    memo.add({ ...run, when: '2027-11-01T00:00:00Z' }, now);
    expect(started(memo, 'a', new Date(now.getTime() + 88 * DAY))).toBe('2027-11-01T00:00:00Z');
    expect(started(memo, 'a', new Date(now.getTime() + 89 * DAY))).toBeUndefined();
    memo.add(run, now);
    expect(JSON.parse(memo.write(new Date(run.when)))).toMatchObject({ runs: {} });
  });

  test.each([
    ['another state machine, in which nothing waits yet', { ...SCOPE, stateMachineArn: `${MACHINE}2` }],
    ['other rules of time zones, by which runs may be due at other times', { ...SCOPE, timezoneRules: '2026d' }],
  ])('is empty for %s', (_, scope) => {
    const memo = new Memo(SCOPE);
    memo.add(run, now);
    const read = Memo.read(memo.write(now), scope);
    expect([started(read), read.asOf.getTime()]).toEqual([undefined, 0]);
  });

  test('of an earlier version, which did not know its rules of time zones, is empty', () => {
    const written = JSON.stringify({ version: 1, stateMachineArn: MACHINE, asOf: 1, runs: {} });
    expect(Memo.read(written, SCOPE).asOf.getTime()).toBe(0);
  });

  test('keeps the time until which it knows the running executions', () => {
    const memo = new Memo(SCOPE);
    memo.asOf = now;
    expect(Memo.read(memo.write(new Date(run.when)), SCOPE).asOf).toEqual(now);
  });

  const about = `"version":1,"stateMachineArn":"${MACHINE}"`;
  test.each(['', 'null', '{}', `{${about},"runs":{}}`, `{${about},"asOf":0,"runs":{"a":["x",1]}}`])(
    'cannot be read from %p',
    (text) => {
      expect(() => Memo.read(text, SCOPE)).toThrow();
    },
  );

  test('suppresses only runs that were started, or that a run within the minute will start', () => {
    const schedules = ['0 8 * * *', '*/15 * * * *', '30 2 * * 0', '0 0 1 * *'];
    const secret = (schedule: string): SecretDescription => ({
      ARN,
      Tags: [
        { Key: 'autodump:start-schedule', Value: schedule },
        { Key: 'autodump:timezone', Value: 'Europe/Berlin' },
      ],
    });
    const scans = fc.array(fc.tuple(fc.constantFrom(...schedules), fc.integer({ min: 1, max: 3 * DAY })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(scans, (all) => {
        const memo = new Memo(SCOPE);
        const names = new Set<string>();
        let at = now;
        for (const [schedule, later] of all) {
          at = new Date(at.getTime() + later);
          const decision = decide(secret(schedule), 'dump', at, memo);
          const without = decide(secret(schedule), 'dump', at, new Memo(SCOPE));
          if (decision.kind === 'start') {
            memo.add(decision.input, at);
          }
          if (without.kind !== 'start') {
            throw new Error('These schedules always have a next run.');
          }
          const name = JSON.stringify(without.input);
          if (decision.kind === 'waiting') {
            // The suppressed run was started before, or a run within the minute will start it.
            const within = Date.parse(decision.when) - at.getTime();
            expect(within >= MINUTE ? names.has(name) && decision.when === without.input.when : within > 0).toBe(true);
          }
          names.add(name);
        }
      }),
      { numRuns: 100 },
    );
  });
});
