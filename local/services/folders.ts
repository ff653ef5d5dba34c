import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findProgram } from '../host/search-path.ts';
import { temporaryFolder } from '../host/temporary-folder.ts';

/** What jobs run besides PostgreSQL's programs: to end their children with them, and to find a server's account. */
const IMAGE_PROGRAMS = ['setpriv', 'true', 'id'];

/** Where the local stack keeps its files; absolute paths. */
export interface Folders {
  /** Objects, as `<bucket>/<key>`. */
  readonly objects: string;
  readonly logs: string;
  /** Holds programs for the PATH of jobs. */
  readonly programs: string;
  /** Volumes of jobs. */
  readonly volumes: string;
  /** Removes what must not outlive the stack. */
  readonly remove: () => Promise<void>;
}

/**
 * Creates the folders that the local stack needs. Those of jobs are temporary, and not below the state directory: if
 * this process is root, the server of a drill runs as another user, who may have no access there, and the path of its
 * socket must be short.
 */
export async function createFolders(directory: string): Promise<Folders> {
  const root = resolve(directory);
  const [jobs, remove] = await temporaryFolder('jobs');
  const folders = {
    objects: join(root, 's3'),
    logs: join(root, 'log'),
    programs: join(jobs, 'programs'),
    volumes: jobs,
    remove,
  };
  for (const folder of [folders.objects, folders.logs, folders.programs]) {
    await mkdir(folder, { recursive: true });
  }
  for (const folder of [jobs, folders.programs]) {
    await chmod(folder, 0o711);
  }
  // The image ships Node.js; jobs on this machine use the one that runs this process.
  await symlink(process.execPath, join(folders.programs, 'node'));
  for (const program of IMAGE_PROGRAMS) {
    const path = findProgram(program, process.env.PATH);
    if (path !== undefined) {
      await symlink(path, join(folders.programs, program));
    }
  }
  return folders;
}
