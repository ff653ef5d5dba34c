/** Longest text of a line, in characters: SNS takes 262,144 bytes, and a message may have fifty such lines. */
const MAX_LENGTH = 1000;

/** The same, for the one line of a message that may name several problems, each with what to do. */
export const MAX_LOG_LENGTH = 5000;

/**
 * A text on one line of a message. It comes from services and people, and may contain anything: line breaks, characters
 * that are invisible, or that make a line look like another one.
 */
export function onOneLine(text: string, maxLength = MAX_LENGTH): string {
  const line = text
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}
