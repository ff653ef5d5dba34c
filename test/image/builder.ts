import { randomBytes } from 'node:crypto';
import { Buildah } from './buildah.ts';
import { command, demand, works } from './command.ts';

/** A run of the image, as a job definition has it. */
export interface ContainerOrder {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** As the job definition has it. */
  readonly user: string;
}

/** What builds the image, and runs it with a read-only root, without privileges and in the network of this machine. */
export interface Builder {
  readonly name: string;
  /** @param context the folder that synth wrote. @throws {Error} with the builder's last words */
  build(context: string): Promise<void>;
  /** @returns exit status */
  run(order: ContainerOrder, said: (line: string) => void): Promise<number>;
  /** Removes the image and all that came of it. */
  remove(): Promise<void>;
}

/** Docker and Podman take the same words. The image comes from where the Dockerfile says. */
class Docker implements Builder {
  readonly name: string;
  readonly #tag = `autodump-test:${randomBytes(4).toString('hex')}`;

  constructor(name: string) {
    this.name = name;
  }

  async build(context: string): Promise<void> {
    await demand(this.name, ['build', '--tag', this.#tag, context]);
  }

  run({ command: words, environment, user }: ContainerOrder, said: (line: string) => void): Promise<number> {
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const limits = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', user];
    // The image's VOLUME makes a volume for scratch, as on Fargate; it goes with the container.
    const args = ['run', '--rm', '--network', 'host', ...limits, ...variables, this.#tag, ...words];
    return command(this.name, args, said);
  }

  async remove(): Promise<void> {
    await demand(this.name, ['rmi', '--force', this.#tag]);
  }
}

/** What this machine has. A Docker client without an engine is of no use. */
export async function findBuilder(): Promise<Builder | undefined> {
  for (const name of ['docker', 'podman']) {
    if (await works(name, 'info')) {
      return new Docker(name);
    }
  }
  return process.getuid?.() === 0 && (await works('buildah', 'version')) ? new Buildah() : undefined;
}
