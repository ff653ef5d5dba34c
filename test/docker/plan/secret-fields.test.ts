import { describe, expect, test } from '@jest/globals';
import type { RdsFields } from '../../../docker/plan/describe-database.ts';
import { givenBy, type GivenSecret, withRds } from '../../../docker/plan/secret-fields.ts';
import type { Destination } from '../../../docker/plan/secret-schema.ts';
import { parseDumpSettings } from '../../../docker/plan/secret.ts';
import { NO_FILTERS } from '../../../docker/postgres/filters/filters.ts';

const DESTINATION: Destination = { buckets: ['dumps', 'more-dumps'], retentionDays: 120 };

const LOGIN = JSON.stringify({ username: 'a', password: 'b' });

const FOUND = { endpoint: 'db.example.com', port: 5433, engine: 'postgres', databasename: 'app' };

function managed(
  tags: Readonly<Record<string, string>>,
  rds: RdsFields,
  value = LOGIN,
  name = 'rds!db-1',
): GivenSecret {
  return withRds(givenBy({ name, value, tags: new Map(Object.entries(tags)) }), rds);
}

describe('what the value does not say', () => {
  test('is taken from RDS', () => {
    expect(parseDumpSettings(managed({}, FOUND), DESTINATION)).toEqual({
      server: { host: 'db.example.com', port: 5433, user: 'a', password: 'b' },
      databases: { kind: 'one', name: 'app' },
      bucket: 'dumps',
      retention: 'stack',
      filters: NO_FILTERS,
      parallel: 1,
      assertions: [],
    });
  });

  test('is taken from tags rather than from RDS, and the port belongs to the endpoint', () => {
    const tags = {
      'autodump:endpoint': ' replica.example.com ',
      'autodump:databasename': 'other',
      'autodump:bucketname': 'more-dumps',
    };
    expect(parseDumpSettings(managed(tags, FOUND), DESTINATION)).toMatchObject({
      server: { host: 'replica.example.com', port: 5432 },
      databases: { kind: 'one', name: 'other' },
      bucket: 'more-dumps',
    });
  });

  test.each<readonly [string, unknown]>([
    ['-', { kind: 'all' }],
    ['*', { kind: 'all' }],
    [' a : b', { kind: 'list', names: ['a', 'b'] }],
    ['a, b-c', { kind: 'list', names: ['a', 'b-c'] }],
    ['b-c', { kind: 'one', name: 'b-c' }],
  ])('may be several databases: the tag autodump:databasename = %j', (tag, databases) => {
    expect(parseDumpSettings(managed({ 'autodump:databasename': tag }, FOUND), DESTINATION)).toMatchObject({
      databases,
    });
  });

  test.each<readonly [string, Readonly<Record<string, string>>, RdsFields]>([
    ['the tag autodump:databasename is empty', { 'autodump:databasename': 'a:' }, FOUND],
    ['engine is mysql, but AutoDump dumps only PostgreSQL', {}, { ...FOUND, engine: 'mysql' }],
    ['databasename is missing', {}, { ...FOUND, databasename: undefined }],
    ['endpoint is missing', {}, { engine: 'postgres', databasename: 'app' }],
    ['the tag autodump:engine must be postgres', { 'autodump:engine': 'pg' }, FOUND],
    ['the tag autodump:endpoint is empty', { 'autodump:endpoint': '' }, FOUND],
    ['only a cluster has a reader endpoint', { 'autodump:prefer': 'reader' }, FOUND],
    ['the only value is reader', { 'autodump:prefer': 'writer' }, FOUND],
    [
      'the tag autodump:prefer is only for an endpoint that is looked up',
      { 'autodump:prefer': 'reader', 'autodump:endpoint': 'db.example.com' },
      FOUND,
    ],
  ])('may be wrong: %s', (problem, tags, rds) => {
    expect(() => parseDumpSettings(managed(tags, rds), DESTINATION)).toThrow(problem);
  });

  test('may be filters: lists in the value, with blanks between them in a tag', () => {
    const value = JSON.stringify({
      username: 'a',
      password: 'b',
      excludetabledata: ['"my log"', 'audit.*'],
      schemas: 'public',
    });
    const tags = { 'autodump:excludetables': 'log_* cache', 'autodump:schemas': 'public', 'autodump:timezone': 'UTC' };
    expect(parseDumpSettings(managed(tags, FOUND, value), DESTINATION).filters).toEqual({
      schemas: ['public'],
      excludeschemas: [],
      excludetables: ['log_*', 'cache'],
      excludetabledata: ['"my log"', 'audit.*'],
    });
  });

  test.each<readonly [string, object, Readonly<Record<string, string>>]>([
    ['excludetables must have patterns of the form table or schema.table', { excludetables: 'db.public.log' }, {}],
    ['schemas must have patterns of the form schema', { schemas: ['public', 'public.log'] }, {}],
    ['schemas is an empty list: remove it', { schemas: [] }, {}],
    ['schemas must be a list of patterns', { schemas: { public: true } }, {}],
    ['schemas must be text', { schemas: [1] }, {}],
    ['"excludeTables" must be written excludetables', { excludeTables: ['log'] }, {}],
    ['"exclude-table" must be written excludetables', { 'exclude-table': 'log' }, {}],
    [
      'excludetables differs from the tag autodump:excludetables',
      { excludetables: ['a'] },
      { 'autodump:excludetables': 'a b' },
    ],
    ['the tag autodump:schemas is empty', {}, { 'autodump:schemas': ' ' }],
  ])('may be wrong filters: %s', (problem, fields, tags) => {
    const value = JSON.stringify({ username: 'a', password: 'b', ...fields });
    expect(() => parseDumpSettings(managed(tags, FOUND, value), DESTINATION)).toThrow(problem);
  });

  test.each<readonly [object, Readonly<Record<string, string>>]>([
    [{ parallel: 4 }, {}],
    [{ parallel: '4' }, {}],
    [{}, { 'autodump:parallel': ' 4 ' }],
    [{ parallel: 4 }, { 'autodump:parallel': '4' }],
  ])('may be a number of connections: %p and %p', (fields, tags) => {
    const value = JSON.stringify({ username: 'a', password: 'b', ...fields });
    expect(parseDumpSettings(managed(tags, FOUND, value), DESTINATION).parallel).toBe(4);
  });

  test.each<readonly [unknown, Readonly<Record<string, string>>, string]>([
    [0, {}, 'parallel is 0: it must be a whole number from 1 to 32'],
    [33, {}, 'parallel is 33: it must be a whole number from 1 to 32'],
    [2.5, {}, 'parallel is 2.5: it must be a whole number from 1 to 32'],
    ['1e1', {}, 'parallel must be a whole number from 1 to 32'],
    ['12345', {}, 'parallel must be a whole number from 1 to 32'],
    [true, {}, 'parallel must be a whole number from 1 to 32'],
    [undefined, { 'autodump:parallel': 'auto' }, 'the tag autodump:parallel must be a whole number from 1 to 32'],
    [2, { 'autodump:parallel': '4' }, 'parallel differs from the tag autodump:parallel'],
  ])('may be a wrong number of connections: %p and %p', (parallel, tags, problem) => {
    const value = JSON.stringify({ username: 'a', password: 'b', parallel });
    expect(() => parseDumpSettings(managed(tags, FOUND, value), DESTINATION)).toThrow(problem);
  });

  test('may not contradict the value, which is not shown', () => {
    const own = { ...FOUND, username: 'a', password: 'b', endpoint: undefined, databasename: undefined };
    const value = JSON.stringify({ ...own, host: 'db.example.com', dbname: 'hidden' });
    const tags = { 'autodump:databasename': 'app', 'autodump:endpoint': 'db.example.com' };
    expect(() => parseDumpSettings(managed(tags, {}, value), DESTINATION)).toThrow(
      /^The secret rds!db-1 is invalid: dbname differs from the tag autodump:databasename: remove one of them\.(?!.*hidden)/,
    );
  });

  // What nobody can follow is no advice.
  test.each<readonly [string, string, Readonly<Record<string, string>>, RdsFields]>([
    ['give what is missing in the tags autodump:databasename, autodump:endpoint, autodump:engine', LOGIN, {}, {}],
    ['give what is missing in the tags autodump:databasename', LOGIN, {}, { ...FOUND, databasename: undefined }],
    ['create a secret of your own for this database', '{"password": "b"}', {}, FOUND],
    ['create a secret of your own for this database', 'not json', {}, FOUND],
  ])('is to be given where it can be, if the value cannot be edited: %s', (advice, value, tags, rds) => {
    const words = `Its value cannot be edited, because a service of AWS manages it: ${advice}.`;
    expect(() => parseDumpSettings(managed(tags, rds, value), DESTINATION)).toThrow(words);
    expect(() => parseDumpSettings(managed(tags, rds, value, 'prod/app'), DESTINATION)).not.toThrow(/cannot be edited/);
  });

  test.each([
    ['autodump:sslmode', 'is not read, since no tag can hold sslmode: remove it, or create a secret of your own for'],
    ['autodump:port', 'is not read, since no tag can hold port: write autodump:endpoint as host:port.'],
    ['autodump:bucketname', 'must be one of dumps, more-dumps'],
  ])('is not said to be missing if only the tag %s is wrong', (tag, problem) => {
    const parsing = () => parseDumpSettings(managed({ [tag]: 'x' }, FOUND), DESTINATION);
    expect(parsing).toThrow(problem);
    expect(parsing).not.toThrow(/cannot be edited|in the value|Required/);
  });

  test('is looked for among the keys that are near, and only then are all fields named', () => {
    const value = (fields: object) => JSON.stringify({ username: 'a', ...fields });
    expect(() => parseDumpSettings(managed({}, FOUND, value({ pasword: 'b' }), 'prod/app'), DESTINATION)).toThrow(
      /^The secret prod\/app is invalid: password is missing; the field "pasword" is ignored: did you mean password\?\. Required: /,
    );
    expect(() =>
      parseDumpSettings(managed({}, FOUND, value({ password: 'b', parallel: 99 }), 'prod/app'), DESTINATION),
    ).toThrow(/^The secret prod\/app is invalid: parallel is 99: it must be a whole number from 1 to 32\.$/);
  });
});
