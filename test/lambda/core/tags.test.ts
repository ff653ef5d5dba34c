import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Purpose } from '../../../contract.ts';
import { purposesOf, readTags, type Tag } from '../../../lambda/core/tags.ts';

const schedule = (Value: string): Tag => ({ Key: 'autodump:start-schedule', Value });
const timezone = (Value: string): Tag => ({ Key: 'autodump:timezone', Value });

const drill = (Value: string): Tag => ({ Key: 'autodump:drill-schedule', Value });

describe('the tags of a secret', () => {
  test.each<[string, Tag[] | undefined]>([
    ['no tags', undefined],
    ['other tags', [{ Key: 'team', Value: 'orders' }]],
    ['a tag that starts with the schedule tag', [{ Key: 'autodump:start-schedule-x', Value: '0 8 * * *' }]],
    ['a tag in different case', [{ Key: 'AutoDump:start-schedule', Value: '0 8 * * *' }]],
    ['only a timezone', [timezone('Europe/Berlin')]],
  ])('are no schedule: %s', (_, tags) => {
    expect(readTags(tags)).toBeUndefined();
  });

  test('are read with UTC as the default zone', () => {
    expect(readTags([schedule('0 8 * * *')])).toMatchObject({ schedule: '0 8 * * *', timezone: 'UTC' });
    expect(readTags([timezone('Europe/Berlin'), schedule('@daily')])).toMatchObject({
      schedule: '@daily',
      timezone: 'Europe/Berlin',
    });
    expect(readTags([{ Key: 'autodump:start-schedule' }])).toMatchObject({ schedule: '' });
  });

  test('have another hash of all of them, in whatever order they come', () => {
    const endpoint = (Value: string): Tag => ({ Key: 'autodump:endpoint', Value });
    const hashOfAll = (...tags: readonly Tag[]) => readTags(tags)?.hashOfAll;
    const hash = hashOfAll(schedule('@daily'), endpoint('one'));
    expect(hashOfAll(endpoint('one'), { Key: 'team', Value: 'orders' }, schedule('@daily'))).toBe(hash);
    expect(hashOfAll(schedule('@daily'), endpoint('two'))).not.toBe(hash);
    expect(hashOfAll(schedule('@daily'))).not.toBe(hash);
  });

  test('for drills have nothing to do with those for dumps but the time zone', () => {
    const both = [schedule('@daily'), drill('@weekly'), timezone('Europe/Berlin')];
    expect(readTags(both, 'drill')).toMatchObject({ schedule: '@weekly', timezone: 'Europe/Berlin' });
    expect(readTags([drill('@weekly')])).toBeUndefined();
    expect(readTags([schedule('@weekly')], 'drill')).toBeUndefined();
    const hashes = (...tags: readonly Tag[]) => [readTags(tags)?.hash, readTags(tags, 'drill')?.hash];
    const [dumps, drills] = hashes(...both);
    expect(hashes(schedule('@hourly'), ...both.slice(1))).toEqual([expect.not.stringMatching(String(dumps)), drills]);
    expect(hashes(schedule('@daily'), drill('@monthly'), timezone('Europe/Berlin'))[0]).toBe(dumps);
    // A drill says nothing about whether a secret can be dumped.
    expect(readTags(both)?.hashOfAll).toBe(readTags([schedule('@daily'), timezone('Europe/Berlin')])?.hashOfAll);
  });

  test.each<[string, readonly Tag[], readonly Purpose[]]>([
    ['neither', [{ Key: 'team', Value: 'orders' }, timezone('UTC')], []],
    ['dumps', [schedule('@daily')], ['dump']],
    ['drills', [drill('@weekly')], ['drill']],
    ['both', [drill('@weekly'), schedule('@daily')], ['dump', 'drill']],
    ['drills, misspelled', [schedule('@daily'), { Key: 'autodump:drillschedule', Value: '@daily' }], ['dump', 'drill']],
  ])('are for %s', (_, tags, purposes) => {
    expect(purposesOf(tags)).toEqual(purposes);
  });

  test('have a hash that depends only on schedule and zone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (s1, z1, s2, z2) => {
        const [one, other] = [readTags([schedule(s1), timezone(z1)]), readTags([timezone(z2), schedule(s2)])];
        expect(one?.hash === other?.hash).toBe(s1 === s2 && z1 === z2);
        expect(readTags([{ Key: 'team', Value: s2 }, timezone(z1), schedule(s1)])?.hash).toBe(one?.hash);
      }),
    );
    // Waiting executions hold this hash, so a release that changes it would end them all.
    expect(readTags([schedule('0 8 * * 1-5'), timezone('America/Denver')])?.hash).toBe(
      '5e7959f644f120160467b7fe9746ab68',
    );
  });
});
