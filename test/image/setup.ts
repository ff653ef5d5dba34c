import { findBuilder } from './builder.ts';

/** Ends the run with one message if there is nothing to build the image with. */
export default async function setup(): Promise<void> {
  if ((await findBuilder()) === undefined) {
    process.stderr.write(
      'The image can not be built: there is no Docker engine that answers, no podman, and no buildah for root. Install one, ' +
        'on Debian as root: apt-get install --yes --no-install-recommends buildah debootstrap\n',
    );
    process.exit(1);
  }
}
