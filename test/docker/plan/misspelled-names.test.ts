import { expect, test } from '@jest/globals';
import { ignoredKeys, ignoredTags, misspelledTags } from '../../../docker/plan/misspelled-names.ts';

/** Of the forms that AWS gives to secrets of databases. */
const FIELDS_OF_AWS = [
  ...['engine', 'host', 'username', 'password', 'dbname', 'port', 'ssl'],
  ...['masterarn', 'superuserarn', 'dbInstanceIdentifier', 'dbClusterIdentifier', 'clusterIdentifier', 'resourceId'],
];

test.each([
  [['paralell'], 'paralell', 'parallel'],
  [['Paralel'], 'Paralel', 'parallel'],
  [['sslmod'], 'sslmod', 'sslmode'],
  [['ssl_mdoe'], 'ssl_mdoe', 'sslmode'],
  [['exclude_tabels'], 'exclude_tabels', 'excludetables'],
  [['drillasserts'], 'drillasserts', 'drillassert'],
  [['retention'], undefined, undefined],
  [['prot', 'host'], 'prot', 'port'],
  [['schema'], 'schema', 'schemas'],
  // What is there already is not what was meant.
  [['port', 'ports', 'password', 'password2', 'host', 'endpoint2', 'dbname', 'database_name2'], undefined, undefined],
  // Of each other.
  [['excludetables'], undefined, undefined],
  [['excludetabledata', 'excludeschemas'], undefined, undefined],
  // Refused by name.
  [['sslMode', 'excludetable', 'db_name'], undefined, undefined],
  [FIELDS_OF_AWS, undefined, undefined],
])('of the keys %j, %p was perhaps meant for %p', (keys, near, field) => {
  expect(ignoredKeys(keys)).toEqual(
    near === undefined ? [] : [`the field "${near}" is ignored: did you mean ${field}?`],
  );
});

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
  expect(misspelledTags(tagsOf(key), true)).toEqual([`the tag "${key}" ${problem}`]);
  expect(ignoredTags(tagsOf(key))).toEqual([]);
});

// The Scanner decides about those of the schedule.
test.each(['autodump:owner', 'AutoDump:cost-center', 'autodump:', 'autodump:Time-Zone', 'autodump:Start-Schedule'])(
  'the tag %p is ignored, which is said',
  (key) => {
    expect(misspelledTags(tagsOf(key), true)).toEqual([]);
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
  expect(misspelledTags(tagsOf(key), true)).toEqual([]);
  expect(ignoredTags(tagsOf(key))).toEqual([]);
});
