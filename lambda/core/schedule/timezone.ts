import { distance } from 'fastest-levenshtein';
import { IANAZone } from 'luxon';
import { foreignCharacter } from './foreign-character.ts';
import { InvalidSchedule } from './invalid-schedule.ts';

/**
 * Names that only ICU, the library behind the runtime's time zones, knows, and with meanings that surprise: BST is
 * Bangladesh, AST Anchorage. All others that it knows are names of the IANA time zone database, links included.
 */
const ICU_ONLY = new RegExp(
  '^(ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST|' +
    'SystemV/.*|US/Pacific-New|Canada/East-Saskatchewan)$',
  'i',
);

/** What people mean by abbreviations that are no names of the database. */
const ABBREVIATIONS: Readonly<Record<string, readonly string[]>> = {
  ADT: ['America/Halifax'],
  AEDT: ['Australia/Sydney'],
  AEST: ['Australia/Sydney'],
  AST: ['America/Halifax', 'Asia/Riyadh'],
  BST: ['Europe/London', 'Asia/Dhaka'],
  CDT: ['America/Chicago'],
  CEST: ['Europe/Berlin'],
  CST: ['America/Chicago', 'Asia/Shanghai'],
  EDT: ['America/New_York'],
  IST: ['Asia/Kolkata', 'Europe/Dublin', 'Asia/Jerusalem'],
  JST: ['Asia/Tokyo'],
  KST: ['Asia/Seoul'],
  MDT: ['America/Denver'],
  NST: ['America/St_Johns'],
  NZDT: ['Pacific/Auckland'],
  NZST: ['Pacific/Auckland'],
  PDT: ['America/Los_Angeles'],
  PST: ['America/Los_Angeles'],
};

/**
 * Parses the value of the timezone tag: a name of the IANA time zone database, in any case.
 *
 * @throws {InvalidSchedule} if it is none
 */
export function parseTimezone(tag: string): string {
  const name = tag.trim();
  if (/^[a-z]/i.test(name) && !ICU_ONLY.test(name) && IANAZone.isValidZone(name)) {
    return name;
  }
  const near = nearest(name).map((one) => `"${one}"`);
  const foreign = foreignCharacter(name);
  throw new InvalidSchedule(
    `timezone "${tag}" ${foreign === undefined ? 'is not known' : `contains ${foreign}`}: ` +
      (near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `) +
      'Allowed are names of the IANA time zone database, such as "UTC" or "America/Denver"',
  );
}

/**
 * The names that were probably meant: what an abbreviation stands for, that of the city, or one that is spelled alike.
 * A city that is no zone resembles others, so the city must begin alike, and most of it be the same.
 */
function nearest(given: string): readonly string[] {
  const text = given
    .toLowerCase()
    .replace(/[ -]/g, '_')
    .replace(/[^\w/]/g, '');
  const city = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  const candidates = Intl.supportedValuesOf('timeZone')
    .filter((name) => city(name).charAt(0).toLowerCase() === city(text).charAt(0))
    .map((name) => {
      const spelled = name.toLowerCase();
      return { name, difference: city(text) === city(spelled) ? 0 : distance(text, spelled) };
    })
    .filter(({ difference }) => difference <= Math.min(text.length / 4, city(text).length / 3))
    .sort((a, b) => a.difference - b.difference);
  return ABBREVIATIONS[given.toUpperCase()] ?? candidates.slice(0, 1).map(({ name }) => name);
}
