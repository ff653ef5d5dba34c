import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { InvalidSchedule } from '../../../../lambda/core/schedule/invalid-schedule.ts';
import { parseTimezone } from '../../../../lambda/core/schedule/timezone.ts';

/** The names of the IANA time zone database, links included. */
const IANA = ianaNames();

function ianaNames(): ReadonlySet<string> {
  const file = createRequire(import.meta.url).resolve('moment-timezone/data/packed/latest.json');
  const database = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly zones: readonly string[];
    readonly links: readonly string[];
  };
  const zones = database.zones.map((zone) => String(zone.split('|')[0]));
  return new Set([...zones, ...database.links.flatMap((link) => link.split('|'))]);
}

function isTaken(name: string): boolean {
  try {
    parseTimezone(name);
    return true;
  } catch {
    return false;
  }
}

function isKnownToRuntime(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

describe('a time zone', () => {
  test('is any name of the IANA time zone database, links included', () => {
    expect([...IANA].filter((name) => !isTaken(name))).toEqual([]);
  });

  test('is no abbreviation that only the runtime knows', () => {
    const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
    const pairs = letters.flatMap((a) => letters.map((b) => a + b));
    const names = [...pairs, ...pairs.flatMap((pair) => letters.map((c) => pair + c))].filter(isKnownToRuntime);
    expect(names).toContain('BST');
    expect(names.filter(isTaken)).toEqual(names.filter((name) => IANA.has(name)));
  });

  test.each(['SystemV/PST8PDT', 'SystemV/AST4', 'US/Pacific-New', 'Canada/East-Saskatchewan', 'bst'])(
    'is not %s, which only the runtime knows',
    (name) => {
      expect(() => parseTimezone(name)).toThrow(InvalidSchedule);
    },
  );

  test('may have blanks around it', () => {
    expect(parseTimezone(' America/Denver\t')).toBe('America/Denver');
  });

  test.each([
    '',
    ' ',
    'Mars/Base',
    'Asia/Bangalore',
    'Asia/Mumbai',
    'Asia/Delhi',
    'America/Boston',
    '+05:00',
    '-0700',
    'America',
    'local',
    'system',
  ])('%p is refused', (zone) => {
    expect(() => parseTimezone(zone)).toThrow(`timezone "${zone}" is not known: Allowed are names of the IANA`);
  });

  test.each([
    ['BST', 'Europe/London" or "Asia/Dhaka'],
    ['IST', 'Asia/Kolkata" or "Europe/Dublin" or "Asia/Jerusalem'],
    ['pst', 'America/Los_Angeles'],
    ['Europe/Londno', 'Europe/London'],
    ['London', 'Europe/London'],
    ['US/Denver', 'America/Denver'],
    ['America/New York', 'America/New_York'],
    ['america/los-angeles', 'America/Los_Angeles'],
  ])('%s is refused, and %s suggested', (given, near) => {
    expect(() => parseTimezone(given)).toThrow(
      `timezone "${given}" is not known: did you mean "${near}"? Allowed are names of the IANA time zone database`,
    );
  });

  test.each([
    ['America/Denver\u200B', 'U+200B'],
    ['America\u2044Denver', 'U+2044'],
  ])('%j is refused for the character %s', (given, character) => {
    expect(() => parseTimezone(given)).toThrow(`contains the character ${character}, which may look like`);
  });
});
