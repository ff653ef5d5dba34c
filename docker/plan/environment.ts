import { accessSync, constants } from 'node:fs';
import { parse as parseArn, validate as isArn } from '@aws-sdk/util-arn-parser';
import { z } from 'zod';
import type { DrillEnvironment, DumpEnvironment } from '../../contract.ts';
import { Failure } from '../failure.ts';

/** One dump to make, as the environment describes it. */
export interface Task {
  readonly secretArn: string;
  /** Region of the secret; every service is called there. */
  readonly region: string;
  /** Scheduled time, UTC, RFC 3339, whole seconds. */
  readonly scheduledFor: string;
  readonly execution: string;
  /** ID of the Batch job that this run is an attempt of; undefined outside of Batch. */
  readonly job: string | undefined;
  /** Buckets that the dump may go to, the default first. */
  readonly buckets: readonly [string, ...string[]];
  /** Days after which a dump in the default bucket expires, at the latest. */
  readonly retentionDays: number;
  /** Name of both the job definition and the job queue for restores. */
  readonly restoreJob: string;
  /** Existing, writable folder for the dump while it is made. */
  readonly scratch: string;
}

/** Whether it may be the name of a Region, which becomes a part of host names. */
export function isRegion(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)+$/.test(text);
}

export function isSecretArn(text: string): boolean {
  if (!isArn(text)) {
    return false;
  }
  const { service, region, resource } = parseArn(text);
  return service === 'secretsmanager' && isRegion(region) && resource.startsWith('secret:');
}

export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const bucketNames = z
  .string('is missing')
  .transform((list) => list.split(',').map((name) => name.trim()))
  .refine((names) => !names.includes(''), 'must be bucket names separated by commas')
  .pipe(z.tuple([z.string()], z.string()));

/** Variables that several commands have. */
export const VARIABLES = {
  AUTODUMP_SECRET_ARN: z
    .string('is missing')
    .refine(isSecretArn, 'must be the ARN of a secret: arn:aws:secretsmanager:<Region>:<account>:secret:<name>'),
  AUTODUMP_WHEN: z
    .string('is missing')
    .pipe(z.iso.datetime({ precision: 0, error: 'must be a UTC time in whole seconds, like 2026-11-22T08:00:00Z' })),
  AUTODUMP_EXECUTION: z.string('is missing').min(1, 'is empty'),
  AUTODUMP_BUCKETS: bucketNames,
  TMPDIR: z.string('is missing').refine(isWritable, 'must be an existing, writable folder'),
} satisfies Record<keyof DrillEnvironment, z.ZodType>;

const ofDump = {
  ...VARIABLES,
  AUTODUMP_RETENTION_DAYS: z
    .string('is missing')
    .regex(/^[1-9]\d*$/, 'must be a number of days')
    .transform(Number),
  AUTODUMP_RESTORE_JOB: z.string('is missing').min(1, 'is empty'),
} satisfies Record<keyof DumpEnvironment, z.ZodType>;

/** Batch sets the ID: https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html */
const schema = z.object({ ...ofDump, AWS_BATCH_JOB_ID: z.string().optional() });

/** @throws {Failure} `misuse`, naming every variable that is missing or invalid */
export function parseVariables<T>(schema: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  const { success, data, error } = schema.safeParse(environment);
  if (!success) {
    const problems = error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      const given = environment[name];
      return `${name} ${message}${given === undefined ? '' : `, not ${JSON.stringify(given)}`}`;
    });
    throw new Failure('misuse', `Invalid environment: ${[...new Set(problems)].join('; ')}.`);
  }
  return data;
}

/**
 * Parses the environment described by `DumpEnvironment` in the contract.
 *
 * @throws {Failure} `misuse`, naming every variable that is missing or invalid
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): Task {
  const data = parseVariables(schema, environment);
  return {
    secretArn: data.AUTODUMP_SECRET_ARN,
    region: parseArn(data.AUTODUMP_SECRET_ARN).region,
    scheduledFor: data.AUTODUMP_WHEN,
    execution: data.AUTODUMP_EXECUTION,
    job: data.AWS_BATCH_JOB_ID,
    buckets: data.AUTODUMP_BUCKETS,
    retentionDays: data.AUTODUMP_RETENTION_DAYS,
    restoreJob: data.AUTODUMP_RESTORE_JOB,
    scratch: data.TMPDIR,
  };
}
