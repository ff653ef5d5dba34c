import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  BUILD_ARGUMENTS,
  buildArguments,
  type Builder,
  type ContainerRun,
  SOCKETS,
  type Target,
  TARGETS,
} from './builder.ts';
import { outputOf, runProgram, succeeds } from './command.ts';
import { debianBase } from './debian-base.ts';
import { DEFAULT_CLIENTS } from './docker.ts';
import { accepting, described, minimumsFor } from './older-clients.ts';

const configSchema = z.object({
  OCIv1: z.object({
    config: z.object({
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      WorkingDir: z.string(),
    }),
  }),
});

/** A mounted image: its root folder on this machine, and its configuration. */
interface Mounted {
  readonly root: string;
  readonly config: z.infer<typeof configSchema>['OCIv1']['config'];
}

/** How to build the images. */
interface Build {
  /** For the reader. */
  readonly clients: string;
  readonly options: readonly string[];
  readonly context: string;
}

/**
 * Runs a command in a new mount namespace, with a read-only root and only the scratch folder (and devices) writable.
 * Replaces `buildah run`, which does not support a read-only root. Not enforced, unlike on Fargate: memory and CPU
 * limits, seccomp, and a namespace for processes.
 */
const RUN = `
  set -e
  root=$1 scratch=$2 user=$3 folder=$4 sockets=$5; shift 5
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --bind "$scratch" "$root/scratch"
  [ -z "$sockets" ] || mount --bind "$sockets" "$root${SOCKETS}"
  exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" env --chdir="$folder" "$@"
`;

/**
 * Buildah as root, with no namespaces except for mounts and for a run without network, so that it works in most
 * containers. If debootstrap exists, the base image is built from Debian's own packages.
 */
export class Buildah implements Builder {
  readonly name = 'buildah';
  #folder: string | undefined;
  readonly #mounted = new Map<Target, Mounted>();

  async build(context: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'autodump-image-'));
    this.#folder = folder;
    const build = (await succeeds('debootstrap', '--version'))
      ? await this.#debian(folder, context)
      : { clients: DEFAULT_CLIENTS, options: BUILD_ARGUMENTS, context };
    for (const target of TARGETS) {
      const toBuild = ['--target', target, '--tag', `autodump-${target}`];
      await this.#buildah('build', ...build.options, ...toBuild, build.context);
      const container = await this.#buildah('from', '--pull-never', `localhost/autodump-${target}`);
      const root = await this.#buildah('mount', container);
      const inspected: unknown = JSON.parse(await this.#buildah('inspect', container));
      this.#mounted.set(target, { root, config: configSchema.parse(inspected).OCIv1.config });
    }
    return build.clients;
  }

  async run(container: ContainerRun, onLine: (line: string) => void): Promise<number> {
    const { target, command, environment, user, onlySockets } = container;
    const mounted = this.#mounted.get(target);
    if (mounted === undefined || this.#folder === undefined) {
      throw new Error('The image has not been built.');
    }
    const { root, config } = mounted;
    const scratch = await mkdtemp(join(this.#folder, 'scratch-'));
    await chown(scratch, Number(user), Number(user));
    const args = [root, scratch, user, config.WorkingDir, onlySockets ?? '', ...config.Entrypoint, ...command];
    const namespaces = ['--mount', ...(onlySockets === undefined ? [] : ['--net'])];
    const variables = config.Env.map((variable) => {
      const [name = '', ...value] = variable.split('=');
      return [name, value.join('=')] as const;
    });
    try {
      return await runProgram(
        'unshare',
        [...namespaces, '--propagation', 'private', 'sh', '-c', RUN, 'sh', ...args],
        onLine,
        {
          ...Object.fromEntries(variables),
          ...environment,
        },
      );
    } finally {
      await rm(scratch, { recursive: true });
    }
  }

  async remove(): Promise<void> {
    if (this.#folder === undefined) {
      return;
    }
    await this.#buildah('rm', '--all');
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Builds the base image. @returns how to build the images on it */
  async #debian(folder: string, context: string): Promise<Build> {
    const base = join(folder, 'base');
    await mkdir(base);
    const clients = await debianBase(base);
    const container = await this.#buildah('from', 'scratch');
    await this.#buildah('add', '--quiet', container, base, '/');
    await this.#buildah('commit', '--quiet', '--rm', container, 'autodump-base');
    await rm(base, { recursive: true });
    const values = {
      BASE: 'localhost/autodump-base',
      POSTGRESQL_MAJORS: clients.map(({ major }) => major).join(' '),
      POSTGRESQL_PACKAGES: 'base',
    };
    const given = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const minimums = minimumsFor(clients);
    return {
      clients: described(clients, minimums),
      options: ['--pull-never', ...given, ...buildArguments(minimums)],
      context: await accepting(minimums, context, join(folder, 'context')),
    };
  }

  #buildah(...args: readonly string[]): Promise<string> {
    const store = ['root', 'runroot'].flatMap((name) => [`--${name}`, join(this.#folder ?? '', name)]);
    return outputOf('buildah', [...store, '--storage-driver', 'vfs', ...args], {
      ...process.env,
      BUILDAH_ISOLATION: 'chroot',
    });
  }
}
