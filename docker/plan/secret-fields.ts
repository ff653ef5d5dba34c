import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { FILTER_FIELDS, STORAGE_FIELDS, TAG_PREFIX, TAGGED_FIELDS } from '../../contract.ts';
import { Failure } from '../failure.ts';
import { ALL_DATABASES } from './databases.ts';
import type { RdsFields } from './describe-database.ts';
import type { Secret } from './fetch-secret.ts';
import { preferenceProblem } from './rds.ts';

/** What nobody sees in an editor, outside of strings, and why the value is then no JSON. */
const UNSEEN: readonly (readonly [pattern: RegExp, reason: string])[] = [
  // U+FEFF, or its three bytes in UTF-8 that were read as Latin-1.
  [
    /^(\uFEFF|\u00EF\u00BB\u00BF)/,
    'begins with a byte order mark, which some editors add and JSON does not allow: save it without one',
  ],
  [/^[^"]*[“”„«»‘’]/, 'has typographic quotation marks, where JSON allows only straight ones (U+0022)'],
  [
    /[^\S \t\r\n]|\p{Cf}/u,
    'seems to have characters outside of strings that look like spaces and that JSON does not allow, such as no-break spaces: retype them',
  ],
];

const STRING = /"(?:[^"\\]|\\.)*"/g;

/** Our names of fields, and the synonyms that RDS and its rotation use; ours win if a secret has both. */
export const SYNONYMS = [
  ['databasename', 'dbname'],
  ['endpoint', 'host'],
] as const;

/** What a secret says of its database, from all places that may say it. Nothing of it is checked yet. */
export interface GivenSecret extends Pick<Secret, 'name' | 'tags'> {
  /** Of its value, as they are written. */
  readonly keys: readonly string[];
  /** By our names. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where the fields are that do not go by our name in the value. */
  readonly places: ReadonlyMap<string, string>;
  /** What contradicts something else. */
  readonly problems: readonly string[];
}

/** Our names of the fields of a value. */
function fieldsOfValue(value: Readonly<Record<string, unknown>>): Pick<GivenSecret, 'fields' | 'places'> {
  const fields = withoutBlanks(value);
  const places = new Map<string, string>();
  for (const [ours, theirs] of SYNONYMS) {
    if (value[ours] === undefined && value[theirs] !== undefined) {
      fields[ours] = fields[theirs];
      places.set(ours, theirs);
    }
  }
  for (const field of ['retentiondays', 'parallel']) {
    const given = fields[field];
    // As in a tag.
    fields[field] = typeof given === 'number' ? String(given) : given;
  }
  for (const field of [...FILTER_FIELDS, 'drillassert']) {
    const single = fields[field];
    fields[field] = typeof single === 'string' ? [single] : single;
  }
  return { fields, places };
}

/**
 * Some tag editors refuse `*` and `,`: a lone `-` means `*`, and `:` means `,`. Names with any of these are for the
 * value.
 */
function databasesInTag(text: string): string | readonly string[] {
  const names = text.split(/[,:]/).map((name) => name.trim());
  const [only = ''] = names;
  return names.length > 1 ? names : only.replace(/^-$/, ALL_DATABASES);
}

/** The fields in tags, and their tags. */
function taggedFields(tags: Secret['tags']): readonly (readonly [field: string, tag: string, content: unknown])[] {
  const single = [...TAGGED_FIELDS, ...STORAGE_FIELDS].map(
    (field) => [field, field === 'databasename' ? databasesInTag : (text: string): unknown => text.trim()] as const,
  );
  const lists = FILTER_FIELDS.map((field) => [field, (text: string): unknown => text.trim().split(/\s+/)] as const);
  return [...single, ...lists].flatMap(([field, contentOf]) => {
    const tag = `${TAG_PREFIX}${field}`;
    const text = tags.get(tag);
    return text === undefined ? [] : [[field, tag, contentOf(text)]];
  });
}

/**
 * The fields of a secret: those of its value, then those of its tags.
 *
 * @throws {Failure} `badSecret` if the value is not a JSON object; the message does not show it
 */
export function givenBy(secret: Secret): GivenSecret {
  const { name, tags } = secret;
  const value = parseObject(secret);
  const own = fieldsOfValue(value);
  const fields: Record<string, unknown> = { ...own.fields };
  const places = new Map(own.places);
  const problems: string[] = [];
  for (const [field, tag, tagged] of taggedFields(tags)) {
    if (fields[field] === undefined) {
      fields[field] = tagged;
      places.set(field, `the tag ${tag}`);
    } else if (!isDeepStrictEqual(fields[field], tagged)) {
      problems.push(`${places.get(field) ?? field} differs from the tag ${tag}: remove one of them`);
    }
  }
  const preference = preferenceProblem(tags, fields.endpoint !== undefined);
  return {
    name,
    tags,
    keys: Object.keys(value),
    fields,
    places,
    problems: preference === undefined ? problems : [...problems, preference],
  };
}

/** Whether a secret itself says where its database is and what runs there. */
export function isSelfContained({ fields: { endpoint, engine, databasename } }: GivenSecret): boolean {
  return [endpoint, engine, databasename].every((field) => field !== undefined);
}

/** Adds what RDS says, where the secret says nothing. The port is that of the endpoint. */
export function withRds(given: GivenSecret, { port, ...others }: RdsFields): GivenSecret {
  const located = given.fields.endpoint === undefined ? { port, ...others } : others;
  return { ...given, fields: { ...located, ...given.fields } };
}

/** @throws {Failure} `badSecret` */
function parseObject({ name, value }: Secret): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // The parser's own message quotes the value.
    const outside = value.replace(STRING, '""');
    const [, reason = 'is not valid JSON'] = UNSEEN.find(([pattern]) => pattern.test(outside)) ?? [];
    throw wrongValue(name, `${reason}. It must be a JSON object, with keys and strings in double quotes.`);
  }
  const { success, data } = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!success) {
    const hint = typeof parsed === 'string' ? ', but a string: it was perhaps encoded twice' : '';
    throw wrongValue(name, `is valid JSON, but not an object of the form {"username": ...}${hint}.`);
  }
  return data;
}

/** @param problem continues a sentence about the value */
function wrongValue(name: string, problem: string): Failure {
  const advice = isManaged(name) ? ` ${NOT_EDITABLE}: ${OWN_SECRET}.` : '';
  return new Failure('badSecret', `The value of the secret ${name} ${problem}${advice}`);
}

/** Fields whose blanks at both ends, such as the line break of a file, count. */
const EXACT: ReadonlySet<string> = new Set(['username', 'password', 'databasename', 'dbname']);

function withoutBlanks(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key,
      typeof value === 'string' && !EXACT.has(key) ? value.trim() : value,
    ]),
  );
}

/** Whether a service of AWS writes the value of a secret. No name of one's own can contain an exclamation mark. */
export function isManaged(secretName: string): boolean {
  return secretName.includes('!');
}

/** Begins the advice on a secret whose value is managed. */
export const NOT_EDITABLE = 'Its value cannot be edited, because a service of AWS manages it';

export const OWN_SECRET = 'create a secret of your own for this database';
