import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { tempFolders } from '../../support/temp-folder.ts';

const folder = tempFolders();

/** A process of its own, since Node.js takes the folder from the environment that a process was started with. */
const SCRIPT = `
  import { checkTemporaryFolder } from './local/host/temporary-folder.ts';
  for (const folder of process.argv.slice(1)) {
    process.env.TMPDIR = folder;
    process.stdout.write(await checkTemporaryFolder().then(() => 'taken', (error) => error.constructor.name + ': ' + error.message) + '\\n');
  }`;

test('a folder for temporary files is refused if it would be two of a PATH, or nothing can be created in it', async () => {
  const usable = folder();
  const two = join(usable, 'a:b');
  mkdirSync(two);
  const folders = [usable, two, '/nowhere', '/dev/null', '/proc'];
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT, ...folders]);
  expect(stdout.trimEnd().split('\n')).toEqual([
    'taken',
    expect.stringMatching(/^Misuse: TMPDIR is ".*a:b"\. A ":" separates the folders of a PATH\. /),
    expect.stringMatching(/^Misuse: The folder for temporary files cannot be used: .*\/nowhere/),
    expect.stringMatching(/^Misuse: The folder for temporary files cannot be used: .*\/dev\/null/),
    expect.stringMatching(/^Misuse: The folder for temporary files cannot be used: .*\/proc/),
  ]);
});
