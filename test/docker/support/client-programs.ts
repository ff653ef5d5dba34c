import { findClientPrograms } from '../../../local/postgres/client-programs.ts';

const [newest] = [...(await findClientPrograms(process.env.PATH ?? ''))].sort((a, b) => b.major - a.major);
if (newest === undefined) {
  throw new Error('Install pg_dump and pg_restore.');
}

/** Folder of the newest client programs. On Debian, those on the PATH are a wrapper, which starts Perl for each call. */
export const CLIENT_PROGRAMS = newest.folder;
