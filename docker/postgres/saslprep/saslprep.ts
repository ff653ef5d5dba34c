import {
  LEFT_TO_RIGHT,
  MAPPED_TO_NOTHING,
  NON_ASCII_SPACE,
  PROHIBITED,
  RIGHT_TO_LEFT,
  UNASSIGNED,
} from './stringprep-tables.ts';

/** Whether a character is in one of the ranges. */
type Table = (character: string) => boolean;

function tableOf(...ranges: readonly string[]): Table {
  const bounds = ranges
    .join(' ')
    .split(' ')
    .map((range) => {
      const [first = '', last = first] = range.split('-');
      return [Number.parseInt(first, 16), Number.parseInt(last, 16)] as const;
    });
  return (character) => {
    const code = character.codePointAt(0) ?? 0;
    return bounds.some(([first, last]) => code >= first && code <= last);
  };
}

const isSpace = tableOf(NON_ASCII_SPACE);
const isMappedToNothing = tableOf(MAPPED_TO_NOTHING);
const isProhibited = tableOf(PROHIBITED, UNASSIGNED);
const isRightToLeft = tableOf(RIGHT_TO_LEFT);
const isLeftToRight = tableOf(LEFT_TO_RIGHT);

const ASCII = /^[\0-\x7f]*$/;

function mixesDirections(characters: readonly string[]): boolean {
  return (
    characters.some(isRightToLeft) &&
    (characters.some(isLeftToRight) || ![characters[0], characters.at(-1)].every((each) => isRightToLeft(each ?? '')))
  );
}

/**
 * The password that PostgreSQL hashes for SCRAM: normalized by SASLprep (RFC 4013) or, if it contains what SASLprep
 * does not allow, such as an emoji, as it is. Like libpq and the server, and other than the RFC, this looks for what is
 * not allowed before normalization.
 */
export function scramPassword(password: string): string {
  if (ASCII.test(password)) {
    return password;
  }
  const mapped = Array.from(password)
    .filter((character) => isSpace(character) || !isMappedToNothing(character))
    .map((character) => (isSpace(character) ? ' ' : character));
  return mapped.length === 0 || mapped.some(isProhibited) || mixesDirections(mapped)
    ? password
    : mapped.join('').normalize('NFKC');
}
