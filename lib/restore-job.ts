import { Duration } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { RESTORE_TARGET_TAG, type RestoreEnvironment } from '../contract.ts';
import type { DumpBucket } from './dump-bucket.ts';
import { jobContainer, type JobSize, SCRATCH } from './job-container.ts';
import { grantReadSecrets } from './secret-access.ts';

export interface RestoreJobProps extends JobSize {
  /** Where the dumps are. */
  readonly dumpBucket: DumpBucket;
  /** The image of the dumps: who made them restores them. */
  readonly image: DockerImageAsset;
  /** Where the jobs run, beside the dumps. */
  readonly computeEnvironment: batch.IComputeEnvironment;
  /** Names both the job definition and its queue. */
  readonly name: string;
}

/** Ends a restore that was forgotten. Whoever submits one watches it. */
const TIMEOUT = Duration.days(7);

/** Before dumps, where both wait for capacity: a restore is what dumps are for. */
const PRIORITY = 10;

/** The job that restores a dump. Nothing in the stack submits it: people do, with the dump and the database as command. */
export class RestoreJob extends Construct {
  constructor(scope: Construct, id: string, props: RestoreJobProps) {
    super(scope, id);
    new batch.JobQueue(this, 'Queue', {
      jobQueueName: props.name,
      computeEnvironments: [{ computeEnvironment: props.computeEnvironment, order: 1 }],
      priority: PRIORITY,
    });
    const environment: RestoreEnvironment = { TMPDIR: SCRATCH };
    new batch.EcsJobDefinition(this, 'Definition', {
      jobDefinitionName: props.name,
      container: jobContainer(this, {
        ...props,
        command: ['restore'],
        environment: { ...environment },
        jobRole: this.jobRole(props.dumpBucket),
        streamPrefix: 'restore',
      }),
      // Half a restore is not carried on, and the next attempt would find the database not empty.
      retryAttempts: 1,
      timeout: TIMEOUT,
    });
  }

  /** Reads dumps, and the secrets of databases that somebody has marked to be restored into; writes nothing. */
  private jobRole(dumpBucket: DumpBucket): iam.Role {
    const role = new iam.Role(this, 'JobRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    grantReadSecrets(role, 'ReadRestoreTargets', RESTORE_TARGET_TAG);
    dumpBucket.grantRead(role);
    return role;
  }
}
