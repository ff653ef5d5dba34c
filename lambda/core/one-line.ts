/** Longest text of a line, in characters: SNS takes 262,144 bytes, and a message may have fifty such lines. */
const MAX_LENGTH = 1000;

/**
 * A text on one line of a message. It comes from services and people, and may contain anything: line breaks, characters
 * that are invisible, or that make a line look like another one.
 */
export function onOneLine(text: string): string {
  const line = text
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}
