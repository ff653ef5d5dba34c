import { MINIMUM_CLIENT_VERSIONS } from '../../contract.ts';

/** Build arguments that synth gives. */
export const BUILD_ARGUMENTS = buildArguments(MINIMUM_CLIENT_VERSIONS);

/** @param minimums oldest version of each major of the client programs that may be used */
export function buildArguments(minimums: readonly string[]): readonly string[] {
  return ['--build-arg', `POSTGRESQL_MINIMUM_VERSIONS=${minimums.join(' ')}`];
}

/** Targets of the Dockerfile. */
export const TARGETS = ['dump', 'drill'] as const;

export type Target = (typeof TARGETS)[number];

/** A run of an image, as configured by a job definition. */
export interface ContainerRun {
  readonly target: Target;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  /**
   * Folder that becomes {@link SOCKETS}; the container then has no network.
   *
   * @default - the network of this machine
   */
  readonly onlySockets?: string;
}

/** Folder of a container, which exists in every Debian. */
export const SOCKETS = '/mnt';

/** Builds the images, and runs them with a read-only root and without privileges. */
export interface Builder {
  readonly name: string;
  /**
   * Builds all {@link TARGETS}.
   *
   * @param context build context written by synth
   * @returns the images' client programs, for the reader
   * @throws {Error} with the builder's error output
   */
  build(context: string): Promise<string>;
  /** @returns exit status */
  run(container: ContainerRun, onLine: (line: string) => void): Promise<number>;
  /** Removes the images and everything created for it. */
  remove(): Promise<void>;
}
