import { Duration } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { RESTORE_TARGET_TAG, type RestoreEnvironment } from '../../contract.ts';
import type { DumpBucket } from '../dump-bucket.ts';
import { logGroup } from '../log-group.ts';
import { grantReadSecrets } from '../secret-access.ts';
import { jobContainer, type JobSize, leaveOutVolumeHost, SCRATCH } from './job-container.ts';

export interface RestoreJobProps extends JobSize {
  /** Source of the dumps. */
  readonly dumpBucket: DumpBucket;
  /** The image that made a dump restores it. */
  readonly image: DockerImageAsset;
  /** Shared with the dump jobs. */
  readonly computeEnvironment: batch.IComputeEnvironment;
  /** Name of both the job definition and its queue. */
  readonly name: string;
}

/** Only ends abandoned restores: whoever submits one is expected to watch it. */
const TIMEOUT = Duration.days(7);

/** A restore takes priority over queued dumps, whose queue has the default priority of 1. */
const PRIORITY = 10;

/**
 * The job that restores a dump. People submit it, with the dump and the database as its command; the stack never does.
 */
export class RestoreJob extends Construct {
  constructor(scope: Construct, id: string, props: RestoreJobProps) {
    super(scope, id);
    new batch.JobQueue(this, 'Queue', {
      jobQueueName: props.name,
      computeEnvironments: [{ computeEnvironment: props.computeEnvironment, order: 1 }],
      priority: PRIORITY,
    });
    const environment: RestoreEnvironment = {
      AUTODUMP_BUCKETS: props.dumpBucket.bucketNames.join(','),
      TMPDIR: SCRATCH,
    };
    const definition = new batch.EcsJobDefinition(this, 'Definition', {
      jobDefinitionName: props.name,
      container: jobContainer(this, {
        ...props,
        command: ['restore'],
        environment: { ...environment },
        jobRole: this.jobRole(props.dumpBucket),
        logGroup: logGroup(this, 'Logs'),
        streamPrefix: 'restore',
      }),
      // A partial restore cannot be resumed, and a retry would find the database not empty.
      retryAttempts: 1,
      timeout: TIMEOUT,
    });
    leaveOutVolumeHost(definition);
  }

  /** May read dumps and the secrets that are tagged as restore targets, and write nothing. */
  private jobRole(dumpBucket: DumpBucket): iam.Role {
    const role = new iam.Role(this, 'JobRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    grantReadSecrets(role, 'ReadRestoreTargets', RESTORE_TARGET_TAG);
    dumpBucket.grantRead(role);
    return role;
  }
}
