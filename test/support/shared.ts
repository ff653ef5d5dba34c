import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.ts';

/**
 * Creates a folder that all test files of a run share. The first to request it creates it; the others wait.
 *
 * @throws {Error} if creating it failed, in any file
 */
export async function shared(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(process.env.TEST_RUN_FOLDER ?? '', name);
  const result = `${folder}.result`;
  if (await claim(`${folder}.claimed`)) {
    const error = await make(folder).then(
      () => '',
      (reason: unknown) => String(reason),
    );
    await writeFile(`${result}.new`, error);
    await rename(`${result}.new`, result);
  }
  await until(() => existsSync(result));
  const error = await readFile(result, 'utf8');
  if (error !== '') {
    throw new Error(`Could not create ${name}: ${error}`);
  }
  return folder;
}

/** @returns whether this is the first claim */
async function claim(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}
