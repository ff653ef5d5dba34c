import { type Duration, Stack } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type DumpEnvironment, SCHEDULE_TAG } from '../../contract.ts';
import type { DumpBucket } from '../dump-bucket.ts';
import { logGroup } from '../log-group.ts';
import { grantReadSecrets } from '../secret-access.ts';
import { computeEnvironment } from './compute-environment.ts';
import { jobContainer, type JobSize, SCRATCH } from './job-container.ts';
import { jobImage } from './job-image.ts';
import { defineRetriedJob, maxRunTime } from './retried-job.ts';
import type { RunJob } from './submit-job.ts';

export interface DumpJobProps extends JobSize {
  /** Destination of the dumps. */
  readonly dumpBucket: DumpBucket;
  readonly vpc: ec2.IVpc;
  /** Security groups of the jobs. @default - a new group with all outbound traffic allowed */
  readonly securityGroupIds: readonly string[];
  /** How many dumps may run concurrently; further ones queue. */
  readonly maxConcurrent: number;
  /** How long one attempt may run before it is stopped. */
  readonly timeout: Duration;
  /** Name of both the job definition and the job queue of restores, recorded in manifests. */
  readonly restoreJobName: string;
}

/** The part of the environment that the job definition sets; each run adds the rest. */
type FixedEnvironment = Pick<
  DumpEnvironment,
  'AUTODUMP_BUCKETS' | 'AUTODUMP_RETENTION_DAYS' | 'AUTODUMP_RESTORE_JOB' | 'TMPDIR'
>;

/** The job that makes a dump: the image, and the Batch resources that run it on Fargate. */
export class DumpJob extends Construct implements RunJob {
  readonly image: DockerImageAsset;
  readonly computeEnvironment: batch.FargateComputeEnvironment;
  readonly queue: batch.JobQueue;
  readonly definitionName: string;
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  readonly logGroup: logs.ILogGroup;
  readonly maxRunTime: Duration;

  constructor(scope: Construct, id: string, props: DumpJobProps) {
    super(scope, id);
    this.maxRunTime = maxRunTime(props.timeout);
    this.securityGroups = this.jobSecurityGroups(props);
    this.logGroup = logGroup(this, 'Logs');
    this.image = jobImage(this, 'Image', 'dump', props.architecture);
    this.computeEnvironment = computeEnvironment(this, 'ComputeEnvironment', {
      ...props,
      securityGroups: this.securityGroups,
    });
    this.queue = new batch.JobQueue(this, 'Queue', {
      computeEnvironments: [{ computeEnvironment: this.computeEnvironment, order: 1 }],
    });
    this.definitionName = `${Stack.of(this).stackName}-dump`;
    defineRetriedJob(this, 'Definition', { ...props, name: this.definitionName, container: this.container(props) });
  }

  private jobSecurityGroups({ vpc, securityGroupIds }: DumpJobProps): readonly ec2.ISecurityGroup[] {
    if (securityGroupIds.length === 0) {
      return [
        new ec2.SecurityGroup(this, 'SecurityGroup', { vpc, description: 'AutoDump jobs', allowAllOutbound: true }),
      ];
    }
    return securityGroupIds.map((groupId) => ec2.SecurityGroup.fromSecurityGroupId(this, groupId, groupId));
  }

  private container(props: DumpJobProps): batch.EcsFargateContainerDefinition {
    const environment: FixedEnvironment = {
      AUTODUMP_BUCKETS: props.dumpBucket.bucketNames.join(','),
      AUTODUMP_RETENTION_DAYS: String(props.dumpBucket.retention.toDays()),
      AUTODUMP_RESTORE_JOB: props.restoreJobName,
      TMPDIR: SCRATCH,
    };
    return jobContainer(this, {
      ...props,
      image: this.image,
      command: ['dump'],
      environment: { ...environment },
      jobRole: this.jobRole(props.dumpBucket),
      logGroup: this.logGroup,
      streamPrefix: 'dump',
    });
  }

  /** The only role that may read the values of secrets on a schedule. */
  private jobRole(dumpBucket: DumpBucket): iam.Role {
    const role = new iam.Role(this, 'JobRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    grantReadSecrets(role, 'ReadScheduledSecrets', SCHEDULE_TAG);
    dumpBucket.grantWrite(role);
    return role;
  }
}
