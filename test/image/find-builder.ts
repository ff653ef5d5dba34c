import { Buildah } from './buildah.ts';
import type { Builder } from './builder.ts';
import { succeeds } from './command.ts';
import { Docker } from './docker.ts';

/** Finds a builder on this machine. A Docker client without a running engine does not count. */
export async function findBuilder(): Promise<Builder | undefined> {
  for (const name of ['docker', 'podman']) {
    if (await succeeds(name, 'info')) {
      return new Docker(name);
    }
  }
  return process.getuid?.() === 0 && (await succeeds('buildah', 'version')) ? new Buildah() : undefined;
}
