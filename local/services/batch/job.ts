import { join } from 'node:path';
import type { Caller } from '../task.ts';
import type { JobDefinition } from './job-definition.ts';

type Environment = JobDefinition['ContainerProperties']['Environment'];

/** A submitted job. */
export interface Job {
  readonly id: string;
  readonly name: string;
  /** ARN. */
  readonly queue: string;
  readonly definition: JobDefinition;
  readonly definitionArn: string;
  readonly overrides: { readonly Command?: readonly string[] | undefined; readonly Environment: Environment };
  readonly caller: Caller;
}

/** Name of the job's log stream. */
export function logStream({ id, definition }: Job): string {
  return `${definition.ContainerProperties.LogConfiguration.Options['awslogs-stream-prefix']}/default/${id}`;
}

/** Folder of the job's volumes, with a short path: that of a socket in it may have about a hundred characters. */
export function volumesOf({ id }: Job, volumes: string): string {
  return join(volumes, id.slice(0, 8));
}
