import { Duration, Stack } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type DumpEnvironment, EXIT_STATUS, SCHEDULE_TAG } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { DumpBucket } from './dump-bucket.ts';
import { dumpImage } from './dump-image.ts';
import { jobContainer, type JobSize, leaveOutVolumeHost, SCRATCH } from './job-container.ts';
import { leaveOut } from './leave-out.ts';
import { logGroup } from './log-group.ts';
import { grantReadSecrets } from './secret-access.ts';

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
type FixedEnvironment = Pick<DumpEnvironment, 'AUTODUMP_BUCKETS' | 'AUTODUMP_RESTORE_JOB' | 'TMPDIR'>;

/** Attempts at one dump, including the first. */
const ATTEMPTS = 3;

/**
 * Batch retries what the program reports as worth a retry, and infrastructure failures before the program ran. The last
 * rule makes everything else final, since Batch retries what no rule matches.
 */
const RETRY_STRATEGIES = [
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onExitCode: String(EXIT_STATUS.tryAgain) })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Task failed to start*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'ResourceInitializationError*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Timeout waiting for network*' })),
  batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom({ onReason: '*' })),
];

/** The job that makes a dump: the image, and the Batch resources that run it on Fargate. */
export class DumpJob extends Construct {
  readonly image: DockerImageAsset;
  readonly computeEnvironment: batch.FargateComputeEnvironment;
  readonly queue: batch.JobQueue;
  /**
   * Resolves to the newest revision of the job definition. Waiting executions refer to it, so it must not change; they
   * refer to no revision, since a deployment deregisters the previous one.
   */
  readonly definitionName: string;
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  readonly logGroup: logs.ILogGroup;
  /** Upper bound of the run time of all attempts of a job, without waiting. */
  readonly maxRunTime: Duration;

  constructor(scope: Construct, id: string, props: DumpJobProps) {
    super(scope, id);
    this.maxRunTime = Duration.hours(props.timeout.toHours() * ATTEMPTS);
    this.securityGroups = this.jobSecurityGroups(props);
    this.logGroup = logGroup(this, 'Logs');
    this.image = dumpImage(this, 'Image', props.architecture);
    this.computeEnvironment = new batch.FargateComputeEnvironment(this, 'ComputeEnvironment', {
      vpc: props.vpc,
      vpcSubnets: { subnets: props.vpc.privateSubnets },
      securityGroups: [...this.securityGroups],
      maxvCpus: Math.ceil(props.maxConcurrent * props.vcpu),
      // Updated in place, so that the queues and the jobs in them stay.
      replaceComputeEnvironment: false,
    });
    // Batch refuses to update a compute environment on Fargate with a policy, even an empty one.
    leaveOut(this.computeEnvironment, 'UpdatePolicy');
    this.queue = new batch.JobQueue(this, 'Queue', {
      computeEnvironments: [{ computeEnvironment: this.computeEnvironment, order: 1 }],
    });
    this.definitionName = `${Stack.of(this).stackName}-dump`;
    const definition = new batch.EcsJobDefinition(this, 'Definition', {
      jobDefinitionName: this.definitionName,
      container: this.container(props),
      retryAttempts: ATTEMPTS,
      retryStrategies: RETRY_STRATEGIES,
      timeout: props.timeout,
    });
    leaveOutVolumeHost(definition);
  }

  /**
   * Lets a state machine run the job in a queue and wait for it to end. Job IDs are not known in advance, and
   * DescribeJobs has no resource-level permissions. The rule is the one by which Step Functions learns that a job has
   * ended.
   */
  grantRun(role: iam.IRole, queue: batch.IJobQueue): void {
    const stack = Stack.of(this);
    const definition = stack.formatArn({
      service: 'batch',
      resource: 'job-definition',
      resourceName: this.definitionName,
    });
    const statements = [
      {
        sid: 'SubmitDump',
        actions: ['batch:SubmitJob'],
        resources: [queue.jobQueueArn, definition, `${definition}:*`],
      },
      {
        // Step Functions tags the jobs that it waits for, which is authorized on both the definition and the job.
        sid: 'MarkDump',
        actions: ['batch:TagResource'],
        resources: [definition, `${definition}:*`],
      },
      { sid: 'WatchDump', actions: ['batch:DescribeJobs'], resources: ['*'] },
      {
        sid: 'MarkAndStopDump',
        actions: ['batch:TagResource', 'batch:TerminateJob'],
        resources: [stack.formatArn({ service: 'batch', resource: 'job', resourceName: '*' })],
      },
      {
        sid: 'LearnOfItsEnd',
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        resources: [
          stack.formatArn({
            service: 'events',
            resource: 'rule',
            resourceName: 'StepFunctionsGetEventsForBatchJobsRule',
          }),
        ],
      },
    ];
    for (const statement of statements) {
      role.addToPrincipalPolicy(new iam.PolicyStatement(statement));
      const wildcards = statement.resources.filter((resource) => resource.endsWith('*'));
      acknowledgeWildcards(
        role,
        wildcards,
        'DescribeJobs has no resource-level permissions, and job IDs are not known in advance.',
      );
    }
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
