import { distance } from 'fastest-levenshtein';
import {
  DRILL_TAG,
  FILTER_FIELDS,
  lettersOf,
  PREFER_TAG,
  RESTORE_TARGET_TAG,
  SCHEDULE_TAG,
  STORAGE_FIELDS,
  TAG_PREFIX,
  TAGGED_FIELDS,
  TIMEZONE_TAG,
  VANISHED_TAG,
  VANISHED_WORD,
} from '../../contract.ts';
import type { Secret } from './fetch-secret.ts';
import { type GivenSecret, OWN_SECRET, SYNONYMS } from './secret-fields.ts';
import { FIELDS } from './secret-schema.ts';

/**
 * Names that people write, by the field that they surely mean, although they are not its name but for case and dashes.
 */
const OTHER_NUMBER = [
  ['databasenames', 'databasename'],
  ['excludeschema', 'excludeschemas'],
  ['excludetable', 'excludetables'],
] as const;

const MEANT_BY_KEY: ReadonlyMap<string, string> = new Map(OTHER_NUMBER);

/** As keys of a value, these may be for others. Tags with our prefix are not. */
const MEANT_BY_TAG: ReadonlyMap<string, string> = new Map([
  ...OTHER_NUMBER,
  ...SYNONYMS.map(([ours, theirs]) => [theirs, ours] as const),
  ['bucket', 'bucketname'],
  ['database', 'databasename'],
  ['databases', 'databasename'],
  ['schema', 'schemas'],
]);

/** The tags that say what the value does not. */
const DESCRIBING_TAGS = [...TAGGED_FIELDS, ...FILTER_FIELDS, ...STORAGE_FIELDS]
  .map((field) => `${TAG_PREFIX}${field}`)
  .concat(PREFER_TAG, VANISHED_TAG);

/** Whether these are misspelled, the Scanner decides. */
const OTHER_TAGS = [SCHEDULE_TAG, DRILL_TAG, TIMEZONE_TAG, RESTORE_TARGET_TAG];

/**
 * Keys that would be ignored, although they were surely meant for a field, such as `sslMode` and `db_name`, or those
 * with an invisible character.
 */
export function misspelledKeys(keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => {
    const letters = lettersOf(key);
    const meant = MEANT_BY_KEY.get(letters) ?? letters;
    return FIELDS.includes(meant) && meant !== key ? [`"${key}" must be written ${meant}`] : [];
  });
}

/** Whether one letter in four differs at most, or letters have changed places. */
function isNear(key: string, field: string): boolean {
  const sorted = (name: string) => Array.from(name).sort().join('');
  return distance(key, field) <= Math.floor(field.length / 4) || sorted(key) === sorted(field);
}

/**
 * Keys that are near to the name of a field that is not there, in words: a typing error, or meant for others, as
 * `schema` may be.
 */
export function ignoredKeys(keys: readonly string[]): readonly string[] {
  const given = keys.flatMap((key) => SYNONYMS.find((names) => names.some((name) => name === key)) ?? [key]);
  const absent = FIELDS.filter((field) => !given.includes(field));
  return keys
    .filter((key) => !FIELDS.includes(key) && misspelledKeys([key]).length === 0)
    .flatMap((key) => {
      const meant = absent.find((field) => isNear(lettersOf(key), field));
      return meant === undefined ? [] : [`the field "${key}" is ignored: did you mean ${meant}?`];
    });
}

/** Tags that begin like ours and are none. */
function unknownTags(tags: Secret['tags']): readonly string[] {
  return [...tags.keys()].filter(
    (key) => lettersOf(key).startsWith(TAG_PREFIX) && ![...DESCRIBING_TAGS, ...OTHER_TAGS].includes(key),
  );
}

/** What a tag was surely meant for: a tag of ours, or a field that no tag can hold. */
function meantBy(key: string): { readonly tag: string } | { readonly field: string } | undefined {
  const letters = lettersOf(key).slice(TAG_PREFIX.length);
  const name = MEANT_BY_TAG.get(letters) ?? letters;
  const tag = `${TAG_PREFIX}${name}`;
  if (DESCRIBING_TAGS.includes(tag)) {
    return { tag };
  }
  return FIELDS.includes(name) ? { field: name } : undefined;
}

/**
 * Tags that would be ignored, although they were surely meant for a field.
 *
 * @param isEditable whether the value of the secret is
 */
export function misspelledTags(tags: Secret['tags'], isEditable: boolean): readonly string[] {
  return unknownTags(tags).flatMap((key) => {
    const meant = meantBy(key);
    if (meant === undefined) {
      return [];
    }
    if ('tag' in meant) {
      return [`the tag "${key}" must be written ${meant.tag}`];
    }
    const inValue = isEditable ? 'write it in the value' : `remove it, or ${OWN_SECRET}`;
    const instead = meant.field === 'port' ? `write ${TAG_PREFIX}endpoint as host:port` : inValue;
    return [`the tag "${key}" is not read, since no tag can hold ${meant.field}: ${instead}`];
  });
}

/** What is ignored of a secret, although it may have been meant for AutoDump, in words. */
export function ignoredOf({ keys, tags }: Pick<GivenSecret, 'keys' | 'tags'>): readonly string[] {
  return [...ignoredKeys(keys), ...ignoredTags(tags)];
}

/** Tags with our prefix that are somebody else's, or cannot be followed and prevent no dump, in words. */
export function ignoredTags(tags: Secret['tags']): readonly string[] {
  const unknown = unknownTags(tags)
    .filter((key) => meantBy(key) === undefined)
    .map((key) => `the tag "${key}" is ignored, because AutoDump has no such tag`);
  const words = tags.get(VANISHED_TAG)?.trim().split(/\s+/) ?? [];
  return words.every((word) => VANISHED_WORD.test(word))
    ? unknown
    : [
        ...unknown,
        `the tag ${VANISHED_TAG} is ignored: it must be a percentage from 1 to 99 or off, and the same for a table ` +
          'after its name, as in "50 public.sessions=off"',
      ];
}
