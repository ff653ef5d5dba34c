import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputOf } from './command.ts';

/** The Debian release with Node.js 24 and PostgreSQL's client 18. */
const RELEASE = 'forky';

/** The release with PostgreSQL's client 17, which runs on the libraries of the newer release. */
const OLDER_RELEASE = 'trixie';

const MAJORS = [17, 18] as const;

/** PostgreSQL's client programs, as Debian has them. */
export interface DebianClient {
  readonly major: number;
  /** `18.6` */
  readonly version: string;
}

async function clientOf(root: string, major: number): Promise<DebianClient> {
  const shown = await outputOf('chroot', [
    root,
    'apt-cache',
    'show',
    '--no-all-versions',
    `postgresql-client-${major}`,
  ]);
  const [, version] = /^Version: (\d+\.\d+)/m.exec(shown) ?? [];
  if (version === undefined) {
    throw new Error(`Debian has no released client of PostgreSQL ${major}.`);
  }
  return { major, version };
}

/**
 * Creates the root of a small Debian with Node.js 24 and package sources for PostgreSQL's clients in a folder, using
 * the package archive that apt on this machine is configured for.
 *
 * @returns the clients, which may lag behind PostgreSQL's own releases
 */
export async function debianBase(folder: string): Promise<readonly DebianClient[]> {
  const archives = await outputOf('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
  // Security updates are in a separate archive.
  const archive = archives.split('\n').find((uri) => uri !== '' && !uri.includes('security'));
  if (archive === undefined) {
    throw new Error('The apt sources of this machine contain no package archive.');
  }
  await outputOf('debootstrap', [
    '--variant=minbase',
    '--include=ca-certificates,nodejs',
    RELEASE,
    folder,
    archive,
    // debootstrap does not know releases that are newer than itself.
    '/usr/share/debootstrap/scripts/sid',
  ]);
  await outputOf('chroot', [folder, 'apt-get', 'clean']);
  await appendFile(join(folder, 'etc/apt/sources.list'), `deb ${archive} ${OLDER_RELEASE} main\n`);
  const freshness = await outputOf('apt-config', ['dump', 'Acquire::Check-Valid-Until']);
  await writeFile(join(folder, 'etc/apt/apt.conf.d/80host'), `${freshness}\n`);
  await outputOf('chroot', [folder, 'apt-get', 'update', '--quiet']);
  return Promise.all(MAJORS.map((major) => clientOf(folder, major)));
}
