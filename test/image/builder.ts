import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';

/** Build arguments that synth gives. */
export const BUILD_ARGUMENTS = ['--build-arg', `POSTGRESQL_MINIMUM_VERSIONS=${MINIMUM_CLIENT_VERSIONS.join(' ')}`];

/** A run of the image, as configured by a job definition. */
export interface ContainerRun {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
}

/** Builds the image, and runs it with a read-only root, without privileges and in the network of this machine. */
export interface Builder {
  readonly name: string;
  /**
   * @param context build context written by synth
   * @returns majors of the image's client programs
   * @throws {Error} with the builder's error output
   */
  build(context: string): Promise<readonly number[]>;
  /** @returns exit status */
  run(container: ContainerRun, onLine: (line: string) => void): Promise<number>;
  /** Removes the image and everything created for it. */
  remove(): Promise<void>;
}
