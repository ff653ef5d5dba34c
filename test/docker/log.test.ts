import { expect, test } from '@jest/globals';
import { onOneLine } from '../../docker/log.ts';

test.each([
  ['plain é 日本', 'plain é 日本'],
  ['two\nlines', 'two | lines'],
  ['bell\x07, escape\x1b[31m', 'bell\\x07, escape\\x1b[31m'],
  ['one\u2028two', 'one\\u{2028}two'],
  ['right\u202eto left\u2066', 'right\\u{202e}to left\\u{2066}'],
  ['soft\u00adhyphen, byte order mark\ufeff!', 'soft\\xadhyphen, byte order mark\\u{feff}!'],
  ['filler\u3164, selector\ufe0f, Braille\u2800', 'filler\\u{3164}, selector\\u{fe0f}, Braille\\u{2800}'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
  ['x'.repeat(30_000), `${'x'.repeat(20_000)} … and 10000 more characters`],
])('%j is written on one line', (text, line) => {
  expect(onOneLine(text)).toBe(line);
});
