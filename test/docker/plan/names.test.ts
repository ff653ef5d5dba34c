import { expect, test } from '@jest/globals';
import { ignoredTags, misspelledTags } from '../../../docker/plan/names.ts';

function tagsOf(...keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [key, 'x']));
}

test.each([
  ['autodump:Database-Name', 'must be written autodump:databasename'],
  ['autodump:dbname', 'must be written autodump:databasename'],
  ['autodump:databases', 'must be written autodump:databasename'],
  ['autodump:host', 'must be written autodump:endpoint'],
  ['autodump:Bucket', 'must be written autodump:bucketname'],
  ['auto-dump:engine', 'must be written autodump:engine'],
  ['autodump:exclude.tables', 'must be written autodump:excludetables'],
  ['autodump:exclude-table', 'must be written autodump:excludetables'],
  ['autodump:schema', 'must be written autodump:schemas'],
  ['autodump:Prefer', 'must be written autodump:prefer'],
  ['autodump:\uFF45ngine', 'must be written autodump:engine'],
  ['autodump:port', 'is not read, since no tag can hold port: write autodump:endpoint as host:port'],
  ['autodump:SSL-mode', 'is not read, since no tag can hold sslmode: write it in the value'],
])('the tag %p was surely meant for a field, and is a problem', (key, problem) => {
  expect(misspelledTags(tagsOf(key))).toEqual([`the tag "${key}" ${problem}`]);
  expect(ignoredTags(tagsOf(key))).toEqual([]);
});

// The Scanner decides about those of the schedule.
test.each(['autodump:owner', 'AutoDump:cost-center', 'autodump:', 'autodump:Time-Zone', 'autodump:Start-Schedule'])(
  'the tag %p is ignored, which is said',
  (key) => {
    expect(misspelledTags(tagsOf(key))).toEqual([]);
    expect(ignoredTags(tagsOf(key))).toEqual([`the tag "${key}" is ignored, because AutoDump has no such tag`]);
  },
);

test.each([
  'owner',
  'aws:rds:primaryDBInstanceArn',
  'autodump:endpoint',
  'autodump:excludetabledata',
  'autodump:prefer',
  'autodump:start-schedule',
  'autodump:timezone',
  'autodump:restore-target',
])('nothing is said about the tag %p', (key) => {
  expect(misspelledTags(tagsOf(key))).toEqual([]);
  expect(ignoredTags(tagsOf(key))).toEqual([]);
});
