import { CONTROL_CHARACTERS } from '../contract.ts';

/** Longest line of a log, in characters. */
const MOST_CHARACTERS = 20_000;

/** Makes a text safe for one line of a log: names from a database may contain any character. */
export function onOneLine(text: string): string {
  const shown =
    text.length > MOST_CHARACTERS
      ? `${text.slice(0, MOST_CHARACTERS)} … and ${text.length - MOST_CHARACTERS} more characters`
      : text;
  return shown
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(CONTROL_CHARACTERS, escaped);
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`;
}

/** Writes one event as one line to standard output; CloudWatch Logs adds the time. */
export function log(event: string): void {
  process.stdout.write(`${onOneLine(event)}\n`);
}
