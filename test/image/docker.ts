import { randomBytes } from 'node:crypto';
import { BUILD_ARGUMENTS, type Builder, type ContainerRun, SOCKETS, type Target, TARGETS } from './builder.ts';
import { outputOf, runProgram } from './command.ts';

/** Those of the Dockerfile, if its build arguments do not say otherwise. */
export const DEFAULT_CLIENTS = "the newest of the Dockerfile's default majors";

/** Docker or Podman, which have the same command line. The base image is the Dockerfile's default. */
export class Docker implements Builder {
  readonly name: string;
  readonly #tag = `autodump-test:${randomBytes(4).toString('hex')}`;

  constructor(name: string) {
    this.name = name;
  }

  async build(context: string): Promise<string> {
    for (const target of TARGETS) {
      const options = ['--target', target, '--tag', this.#tagOf(target)];
      await outputOf(this.name, ['build', ...BUILD_ARGUMENTS, ...options, context]);
    }
    return DEFAULT_CLIENTS;
  }

  run(container: ContainerRun, onLine: (line: string) => void): Promise<number> {
    const { target, command, environment, user, onlySockets } = container;
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const limits = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', user];
    const network =
      onlySockets === undefined
        ? ['--network', 'host']
        : ['--network', 'none', '--volume', `${onlySockets}:${SOCKETS}:ro`];
    // The image's VOLUME creates a volume for scratch, as on Fargate; it is removed with the container.
    const args = ['run', '--rm', ...network, ...limits, ...variables, this.#tagOf(target), ...command];
    return runProgram(this.name, args, onLine);
  }

  async remove(): Promise<void> {
    await outputOf(this.name, ['rmi', '--force', ...TARGETS.map((target) => this.#tagOf(target))]);
  }

  #tagOf(target: Target): string {
    return `${this.#tag}-${target}`;
  }
}
