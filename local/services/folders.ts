import { mkdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Where the local stack keeps its files; absolute paths. */
export interface Folders {
  /** Objects, as `<bucket>/<key>`. */
  readonly objects: string;
  readonly logs: string;
  /** Volumes of jobs, deleted when the stack stops. */
  readonly scratch: string;
  /** Holds `node` for the PATH of jobs; part of `scratch`. */
  readonly programs: string;
}

/** Creates the folders that the local stack needs. */
export async function createFolders(directory: string): Promise<Folders> {
  const root = resolve(directory);
  const scratch = join(root, 'scratch');
  const folders = { objects: join(root, 's3'), logs: join(root, 'log'), scratch, programs: join(scratch, 'programs') };
  for (const folder of [folders.objects, folders.logs, folders.programs]) {
    await mkdir(folder, { recursive: true });
  }
  // The image ships Node.js; jobs on this machine use the one that runs this process.
  const node = join(folders.programs, 'node');
  await rm(node, { force: true });
  await symlink(process.execPath, node);
  return folders;
}
