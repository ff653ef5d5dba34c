import { Duration, Stack } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type DumpEnvironment, EXIT_STATUS, SCHEDULE_TAG } from '../contract.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { DumpBucket } from './dump-bucket.ts';
import { dumpImage } from './dump-image.ts';
import { jobContainer, type JobSize, SCRATCH } from './job-container.ts';
import { grantReadSecrets } from './secret-access.ts';

export interface DumpJobProps extends JobSize {
  /** Where the dumps go. */
  readonly dumpBucket: DumpBucket;
  readonly vpc: ec2.IVpc;
  /** Groups that the jobs are in. @default - one group, made for them, that may connect to anywhere */
  readonly securityGroupIds: readonly string[];
  /** Dumps that run at once; further ones queue. */
  readonly maxConcurrent: number;
  /** How long one attempt may run before it is stopped. */
  readonly timeout: Duration;
  /** Name of both job definition and job queue of restores; manifests tell of it. */
  readonly restoreJobName: string;
}

/** Fills the environment that the job definition fixes; the rest comes with each run. */
type FixedEnvironment = Pick<DumpEnvironment, 'AUTODUMP_BUCKETS' | 'AUTODUMP_RESTORE_JOB' | 'TMPDIR'>;

/** Attempts at one dump, the first included. */
const ATTEMPTS = 3;

/**
 * Batch tries again what is worth it: the program's own word, and failures of the infrastructure before the program
 * ran. The last rule ends everything else, since what no rule matches is tried again.
 */
const RETRY_STRATEGIES = [
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onExitCode: String(EXIT_STATUS.tryAgain) })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Task failed to start*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'ResourceInitializationError*' })),
  batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom({ onStatusReason: 'Timeout waiting for network*' })),
  batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom({ onReason: '*' })),
];

/** The job that makes a dump: the image and what Batch needs to run it on Fargate. */
export class DumpJob extends Construct {
  readonly image: DockerImageAsset;
  readonly computeEnvironment: batch.FargateComputeEnvironment;
  readonly queue: batch.JobQueue;
  /**
   * Addresses the newest revision of the job definition. Executions that wait know it, so it must not change, and none
   * of them knows a revision: a deployment deregisters the one before.
   */
  readonly definitionName: string;
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  /** The longest time that all attempts of a job can run, waiting not included. */
  readonly longestRun: Duration;

  constructor(scope: Construct, id: string, props: DumpJobProps) {
    super(scope, id);
    this.longestRun = Duration.hours(props.timeout.toHours() * ATTEMPTS);
    this.securityGroups = this.groups(props);
    this.image = dumpImage(this, 'Image', props.architecture);
    this.computeEnvironment = new batch.FargateComputeEnvironment(this, 'ComputeEnvironment', {
      vpc: props.vpc,
      vpcSubnets: { subnets: props.vpc.privateSubnets },
      securityGroups: [...this.securityGroups],
      maxvCpus: Math.ceil(props.maxConcurrent * props.vcpu),
    });
    this.queue = new batch.JobQueue(this, 'Queue', {
      computeEnvironments: [{ computeEnvironment: this.computeEnvironment, order: 1 }],
    });
    this.definitionName = `${Stack.of(this).stackName}-dump`;
    new batch.EcsJobDefinition(this, 'Definition', {
      jobDefinitionName: this.definitionName,
      container: this.container(props),
      retryAttempts: ATTEMPTS,
      retryStrategies: RETRY_STRATEGIES,
      timeout: props.timeout,
    });
  }

  /**
   * Lets a state machine run the job and wait for its end. Batch offers no narrower resource for what refers to jobs;
   * the rule is the one that Step Functions makes to learn of their end.
   */
  grantRun(role: iam.IRole): void {
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
        resources: [this.queue.jobQueueArn, definition, `${definition}:*`],
      },
      {
        // Step Functions marks the jobs that it waits for. A mark is authorized on the definition and on the job.
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
      acknowledgeWildcards(role, wildcards, 'Describing jobs knows no resources, IDs of jobs are not known before.');
    }
  }

  private groups({ vpc, securityGroupIds }: DumpJobProps): readonly ec2.ISecurityGroup[] {
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
