import { expect, test } from '@jest/globals';
import { assignment } from '../../../docker/postgres/assignment.ts';

test.each([
  ['as SET keeps them', `"$user", public, "B, c", "a""b", ""`, `'$user', 'public', 'B, c', 'a"b', ''`],
  // Who owns a database can make the server keep this, by set_config and ALTER DATABASE … SET … FROM CURRENT.
  ['without quotes', 'Public;drop/**/table/**/"t";--', `'public;drop/**/table/**/"t";--'`],
  ['of which there are none', '', "''"],
  ['on two lines', '"a\nb"', "U&'a\\000ab'"],
])('names of a list %s are literals', (_, value, expected) => {
  expect(assignment({ name: 'search_path', value })).toBe(`"search_path" TO ${expected}`);
});

test('other values are one literal', () => {
  expect(assignment({ name: 'DateStyle', value: "ISO, 'MDY" })).toBe(`"DateStyle" TO 'ISO, ''MDY'`);
  expect(assignment({ name: 'app.key', value: null })).toBe('"app"."key" TO …');
});
