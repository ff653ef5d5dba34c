import { describe, expect, test } from '@jest/globals';
import { chooseServer } from '../../../../docker/drill/server/programs.ts';

describe('The server for a drill', () => {
  test.each([
    ['17.4', [16, 17, 18], 17],
    ['13.2', [18, 16, 17], 16],
    [null, [16, 18, 17], 18],
    ['18beta1', [16, 17, 18], 18],
  ])('for a dump of PostgreSQL %s, of %j, is %d', (serverVersion, majors, chosen) => {
    const servers = majors.map((major) => ({ major }));
    expect(chooseServer(servers, { serverVersion })).toEqual({ major: chosen });
  });

  test('must not be older than that of the dump', () => {
    expect(() => chooseServer([{ major: 16 }, { major: 17 }], { serverVersion: '18.1' })).toThrow(
      'The dump is of PostgreSQL 18.1, and there are only older ones: 16, 17.',
    );
  });
});
