import { describe, expect, test } from '@jest/globals';
import { parseDatabase, parseOptions } from '../../local/options.ts';

describe('parseOptions', () => {
  test('has defaults for all options', () => {
    expect(parseOptions([])).toEqual({ schedule: '@daily', stateDir: '.autodump', json: false });
  });

  test('parses all options, also after the separator that a package runner passes on', () => {
    const args = ['--', '--schedule', '5 8 * * 1', '--timezone', 'America/Denver', '--state-dir', 'x', '--json'];
    expect(parseOptions(args)).toEqual({
      schedule: '5 8 * * 1',
      timezone: 'America/Denver',
      stateDir: 'x',
      json: true,
    });
  });

  test.each([[['--help']], [['-h']]])('returns help for %j', (args) => {
    expect(parseOptions(args)).toBe('help');
  });

  test.each([
    [['--databse', 'x'], "Unknown option '--databse'"],
    [['--schedule'], "Option '--schedule <value>' argument missing"],
    [['--json=yes'], "Option '--json' does not take an argument"],
    [['extra'], "Unexpected argument 'extra'"],
    [['postgres://me:hunter2@db/shop'], "Unexpected argument 'postgres://…@db/shop'"],
    [['--schedule', '- 8 - - -'], '--schedule needs a value. One that begins with a dash'],
    [['--schedule', `${'0,'.repeat(128)}1 8 * * *`], '--schedule has 265 characters'],
    [['--timezone', 'A'.repeat(257)], '--timezone has 257 characters'],
  ])('rejects %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });

  test('reads the password of the database from PGPASSWORD', () => {
    expect(parseOptions(['--database', 'postgres://me@db/shop'], 'secret')).toMatchObject({
      database: { password: 'secret' },
    });
  });
});

describe('parseDatabase', () => {
  const common = { user: 'me', host: 'db', port: 5432, database: 'shop', password: 'pw' };

  test.each([
    ['postgres://me@db/shop', common],
    ['postgresql://me@db:6432/shop', { ...common, port: 6432 }],
    ['postgres://me@db/shop?sslmode=require', { ...common, sslmode: 'require' }],
    ['postgres://me@[::1]:6432/shop', { ...common, host: '::1', port: 6432 }],
    ['postgres://me:from%20url@db/shop', { ...common, password: 'from url' }],
    ['postgres://M%C3%BCller%40x@db/a%2Fb%20%22c%22', { ...common, user: 'Müller@x', database: 'a/b "c"' }],
    ['postgres://me@db/größe', { ...common, database: 'größe' }],
  ])('parses %s', (url, expected) => {
    expect(parseDatabase(url, 'pw')).toEqual(expected);
  });

  test('does not change the password from the environment', () => {
    const password = `' " \\ $ ( ) ; | & % # @ : / é`;
    expect(parseDatabase('postgres://me@db/shop', password).password).toBe(password);
  });

  test('rejects an empty folder, as from a shell variable that is not set', () => {
    expect(() => parseOptions(['--state-dir', ''])).toThrow('--state-dir is empty');
  });

  test.each([
    ['postgres:///', 'lacks: user, host, name, password.'],
    ['postgres://db/shop', 'lacks: user, password.'],
    ['postgres://me@db', 'lacks: name, password.'],
    ['mysql://me@db/shop', 'not the URL of a PostgreSQL database'],
    ['shop', 'not the URL of a PostgreSQL database'],
    ['postgres://me@db:99999/shop', 'not the URL of a PostgreSQL database'],
    ['postgres://me:100%@db/shop', 'invalid percent-encoding in its password'],
    ['postgres://me:pw@db/shop?connect_timeout=3', 'parameter connect_timeout'],
    ['postgres://me:pw@db/shop?sslmode=bogus', 'sslmode=bogus; it must be one of disable, allow, prefer, require'],
    ['postgres://me:pw@db/shop?sslmode=', 'sslmode=; it must be one of'],
  ])('rejects %s', (url, message) => {
    expect(() => parseDatabase(url, undefined)).toThrow(message);
  });

  test.each(['postgres://me:hunter2@', 'http://me:hunter2@db/x', 'postgres://me:hunter2%@db/x'])(
    'never repeats the password of %s',
    (url) => {
      expect(() => parseDatabase(url, undefined)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
      );
    },
  );
});
