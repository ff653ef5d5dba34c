import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demand } from './command.ts';

/** Has Node.js 24 and PostgreSQL's client 18. */
const RELEASE = 'forky';

/** Has PostgreSQL's client 17, which runs on the libraries of the newer release. */
const OLDER_RELEASE = 'trixie';

const MAJORS = [17, 18] as const;

/**
 * Fills a folder with the root of a small Debian that has Node.js 24 and the package sources of clients of PostgreSQL,
 * from the package archive that this machine is set up for and as it is set up.
 *
 * @returns majors of the clients
 */
export async function debianBase(folder: string): Promise<readonly number[]> {
  const archives = await demand('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
  // The security updates of a release have an archive of their own.
  const archive = archives.split('\n').find((uri) => uri !== '' && !uri.includes('security'));
  if (archive === undefined) {
    throw new Error('The sources of apt on this machine name no package archive.');
  }
  await demand('debootstrap', [
    '--variant=minbase',
    '--include=ca-certificates,nodejs',
    RELEASE,
    folder,
    archive,
    // debootstrap knows by name no release that is younger than itself.
    '/usr/share/debootstrap/scripts/sid',
  ]);
  await demand('chroot', [folder, 'apt-get', 'clean']);
  await appendFile(join(folder, 'etc/apt/sources.list'), `deb ${archive} ${OLDER_RELEASE} main\n`);
  const freshness = await demand('apt-config', ['dump', 'Acquire::Check-Valid-Until']);
  await writeFile(join(folder, 'etc/apt/apt.conf.d/80host'), `${freshness}\n`);
  return MAJORS;
}
