import { expect, test } from '@jest/globals';
import { onOneLine } from '../../docker/log.ts';

test.each([
  ['plain é 日本', 'plain é 日本'],
  ['two\nlines', 'two | lines'],
  ['bell\x07, escape\x1b[31m', 'bell\\x07, escape\\x1b[31m'],
  ['one\u2028two', 'one\\x2028two'],
])('%j is written on one line', (text, line) => {
  expect(onOneLine(text)).toBe(line);
});
