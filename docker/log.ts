/** Control characters and Unicode's line separators. */
export const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]/gu;

/** Makes a text safe for one line of a log: names from a database may contain any character. */
export function onOneLine(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(CONTROL_CHARACTERS, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Writes one event as one line to standard output; CloudWatch Logs adds the time. */
export function log(event: string): void {
  process.stdout.write(`${onOneLine(event)}\n`);
}
