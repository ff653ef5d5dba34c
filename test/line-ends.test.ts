import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const FOLDERS = ['bin', 'docker', 'lambda', 'lib', 'local', 'operator', 'simulation', 'test'];

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('a checkout on any system has the line ends of Linux, on which images and scripts run', () => {
  expect(readFileSync('.gitattributes', 'utf8')).toMatch(/^\* text=auto eol=lf$/m);
  expect(FOLDERS.flatMap(filesIn).filter((file) => readFileSync(file, 'latin1').includes('\r'))).toEqual([]);
});
