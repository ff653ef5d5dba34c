import { randomBytes } from 'node:crypto';
import type { Builder, ContainerRun } from './builder.ts';
import { outputOf, runProgram } from './command.ts';

/** Docker or Podman, which have the same command line. The base image is the Dockerfile's default. */
export class Docker implements Builder {
  readonly name: string;
  readonly #tag = `autodump-test:${randomBytes(4).toString('hex')}`;

  constructor(name: string) {
    this.name = name;
  }

  async build(context: string): Promise<void> {
    await outputOf(this.name, ['build', '--tag', this.#tag, context]);
  }

  run({ command, environment, user }: ContainerRun, onLine: (line: string) => void): Promise<number> {
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const limits = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', user];
    // The image's VOLUME creates a volume for scratch, as on Fargate; it is removed with the container.
    const args = ['run', '--rm', '--network', 'host', ...limits, ...variables, this.#tag, ...command];
    return runProgram(this.name, args, onLine);
  }

  async remove(): Promise<void> {
    await outputOf(this.name, ['rmi', '--force', this.#tag]);
  }
}
