import type { Readable } from 'node:stream';

/**
 * Calls back with each line of a stream, or with its beginning, if it is longer. Holds no more of a line than that,
 * which may be a message of any length that a server made up.
 *
 * @param most characters of a line
 */
export function readLines(stream: Readable, most: number, onLine: (line: string) => void): void {
  let line = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n');
    line += first.slice(0, most - line.length);
    for (const next of others) {
      onLine(line);
      line = next.slice(0, most);
    }
  });
  stream.on('end', () => {
    if (line !== '') {
      onLine(line);
    }
  });
}
