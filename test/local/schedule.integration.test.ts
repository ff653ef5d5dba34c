import { afterAll, expect, test } from '@jest/globals';
import { InvalidOptions } from '../../local/host/misuse.ts';
import { Processes } from '../../local/host/processes.ts';
import { refuseUnscheduled } from '../../local/schedule.ts';

const processes = new Processes();

afterAll(() => processes.stop());

function refused(options: { readonly schedule?: string; readonly timezone?: string }): Promise<unknown> {
  return refuseUnscheduled({ schedule: '@daily', stateDir: 'none', json: true, ...options }, processes).catch(
    (error: unknown) => error,
  );
}

test('a schedule that starts a run is taken', async () => {
  expect(await refused({})).toBeUndefined();
});

test.each([
  ['a cron expression of six fields', { schedule: '0 0 8 * * 1' }, 'has 6 fields'],
  ['an empty schedule', { schedule: '' }, 'has 0 fields'],
  ['a schedule that is never due', { schedule: '0 8 31 2 *' }, 'never'],
  ['an unknown time zone', { timezone: 'Mars/Base' }, '"Mars/Base" is not known'],
  ['a run too far in the future', { schedule: '0 0 29 2 *' }, 'is too far away to wait for'],
])('%s is refused in words', async (_, options, reason) => {
  const error = await refused(options);
  expect(error).toBeInstanceOf(InvalidOptions);
  expect(error).toMatchObject({ message: expect.stringContaining(reason) });
  expect(error).not.toMatchObject({ message: expect.stringMatching(/[{}]/) });
});
