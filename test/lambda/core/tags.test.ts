import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTags, type Tag } from '../../../lambda/core/tags.ts';

const schedule = (Value: string): Tag => ({ Key: 'autodump:start-schedule', Value });
const timezone = (Value: string): Tag => ({ Key: 'autodump:timezone', Value });

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
