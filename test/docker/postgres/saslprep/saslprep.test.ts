import { expect, test } from '@jest/globals';
import { scramPassword } from '../../../../docker/postgres/saslprep/saslprep.ts';

test.each([
  ['ASCII, with what SASLprep prohibits', 'a\u0007b \x7f', 'a\u0007b \x7f'],
  ['composed and decomposed characters', 'u\u0308', '\u00fc'],
  ['compatibility characters', '\u2168\uff21', 'IXA'],
  ['other spaces', 'a\u00a0b\u3000c\u200bd', 'a b c d'],
  ['soft hyphens and variation selectors', 'a\u00adb\u2764\ufe0f', 'ab\u2764'],
  [
    'an emoji, which is newer than SASLprep, and keeps everything as it is',
    '\u{1f600}\u00ad\ufe0f',
    '\u{1f600}\u00ad\ufe0f',
  ],
  ['an emoji that consists of letters', '\u{1f130}\u00ad', '\u{1f130}\u00ad'],
  ['two directions', '\u05d0\u00ad1a', '\u05d0\u00ad1a'],
  ['right to left, with a number at the end', '\u0627\u00ad1', '\u0627\u00ad1'],
  ['right to left', '\u0627\u00ad1\u0628', '\u06271\u0628'],
  ['private use', '\ue000\u00ad', '\ue000\u00ad'],
  ['nothing but what is mapped to nothing', '\u00ad\ufeff', '\u00ad\ufeff'],
])('%s', (_, password, expected) => {
  expect(scramPassword(password)).toBe(expected);
});
