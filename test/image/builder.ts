import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';

/** Build arguments that synth gives. */
export const BUILD_ARGUMENTS = ['--build-arg', `POSTGRESQL_MINIMUM_VERSIONS=${MINIMUM_CLIENT_VERSIONS.join(' ')}`];

/** Targets of the Dockerfile. */
export const TARGETS = ['dump', 'drill'] as const;

export type Target = (typeof TARGETS)[number];

/** A run of an image, as configured by a job definition. */
export interface ContainerRun {
  readonly target: Target;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
}

/** Builds the images, and runs them with a read-only root, without privileges and in the network of this machine. */
export interface Builder {
  readonly name: string;
  /**
   * Builds all {@link TARGETS}.
   *
   * @param context build context written by synth
   * @returns majors of the images' client programs, and of the servers of `drill`
   * @throws {Error} with the builder's error output
   */
  build(context: string): Promise<readonly number[]>;
  /** @returns exit status */
  run(container: ContainerRun, onLine: (line: string) => void): Promise<number>;
  /** Removes the images and everything created for it. */
  remove(): Promise<void>;
}
