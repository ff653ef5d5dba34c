import { findBuilder } from './find-builder.ts';

/** Ends the run with a single message if the image cannot be built on this machine. */
export default async function setup(): Promise<void> {
  if ((await findBuilder()) === undefined) {
    process.stderr.write(
      'The image cannot be built: no running Docker engine, no podman, and no buildah with root privileges. Install one, ' +
        'on Debian as root: apt-get install --yes --no-install-recommends buildah debootstrap\n',
    );
    process.exit(1);
  }
}
