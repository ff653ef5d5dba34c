import { describe, expect, test } from '@jest/globals';
import { compilePattern } from '../../../../local/services/events/event-pattern.ts';

describe('compilePattern', () => {
  const event = { source: 'aws.x', detail: { name: 'Create', size: 3, tags: ['a', 'b'], on: true, none: null } };

  test.each([
    [{ source: ['aws.x'] }, true],
    [{ source: ['aws.y', 'aws.x'] }, true],
    [{ source: ['aws.y'] }, false],
    [{ detail: { name: ['Create'], size: [3] } }, true],
    [{ detail: { name: ['Create'], size: ['3'] } }, false],
    [{ detail: { on: [true], none: [null] } }, true],
    [{ detail: { none: [false] } }, false],
    [{ detail: { tags: ['b'] } }, true],
    [{ detail: { tags: ['c'] } }, false],
    [{ detail: { absent: ['x'] } }, false],
    [{ source: { deeper: ['x'] } }, false],
    [{ detail: { name: [{ prefix: 'Cre' }] } }, true],
    [{ detail: { name: [{ prefix: 'cre' }] } }, false],
    [{ detail: { size: [{ prefix: '3' }] } }, false],
    [{ detail: { name: [{ exists: true }], absent: [{ exists: false }] } }, true],
    [{ detail: { name: [{ exists: false }] } }, false],
    [{ detail: { name: [{ 'anything-but': 'Delete' }] } }, true],
    [{ detail: { name: [{ 'anything-but': ['Delete', 'Create'] }] } }, false],
    [{ detail: { name: [{ 'anything-but': { prefix: 'Cr' } }] } }, false],
    [{ detail: { absent: [{ 'anything-but': 'x' }] } }, false],
  ])('%j: %s', (pattern, matches) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });

  test.each([
    [{ detail: { size: [{ numeric: ['>', 1] }] } }, 'numeric'],
    [{ source: [{ 'equals-ignore-case': 'x' }] }, 'equals-ignore-case'],
    [{ $or: [{ source: ['x'] }] }, '$or'],
  ])('rejects %j, naming the operator', (pattern, operator) => {
    expect(() => compilePattern(pattern)).toThrow(`the operator ${operator}`);
  });
});
