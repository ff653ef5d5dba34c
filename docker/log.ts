/** Control characters, and the line separators of Unicode. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/** The text on one line, fit for a log: a name from a database may hold anything. */
export function printable(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Writes one event as one line to standard output; CloudWatch Logs adds the time. */
export function log(event: string): void {
  process.stdout.write(`${printable(event)}\n`);
}
