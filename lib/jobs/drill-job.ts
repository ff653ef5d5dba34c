import type { Duration } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DrillEnvironment } from '../../contract.ts';
import type { DumpBucket } from '../dump-bucket.ts';
import { computeEnvironment } from './compute-environment.ts';
import { jobContainer, type JobSize, SCRATCH } from './job-container.ts';
import { jobImage } from './job-image.ts';
import { defineRetriedJob, maxRunTime } from './retried-job.ts';
import type { RunJob } from './submit-job.ts';

export interface DrillJobProps extends JobSize {
  /** Source of the dumps, which also takes the evidence of drills. */
  readonly dumpBucket: DumpBucket;
  readonly vpc: ec2.IVpc;
  /** How many drills may run concurrently; further ones queue. */
  readonly maxConcurrent: number;
  /** How long one attempt may run before it is stopped. */
  readonly timeout: Duration;
  /** Name of both the job definition and its queue. */
  readonly name: string;
  /** The log of the dump jobs, so that whatever reads the reason of a failed job there finds that of a drill. */
  readonly logGroup: logs.ILogGroup;
}

/** The part of the environment that the job definition sets; each run adds the rest. */
type FixedEnvironment = Pick<DrillEnvironment, 'AUTODUMP_BUCKETS' | 'TMPDIR'>;

/**
 * The job that restores a dump into a throwaway server in its own container. The dump's code runs there: functions,
 * CHECK constraints. So it may read no secret, and reach nothing but HTTPS
 * endpoints: those of AWS, which have no fixed addresses.
 *
 * Its compute environment is its own: security groups belong to environments, and drills cannot delay dumps.
 */
export class DrillJob extends Construct implements RunJob {
  readonly queue: batch.JobQueue;
  readonly definitionName: string;
  readonly maxRunTime: Duration;

  constructor(scope: Construct, id: string, props: DrillJobProps) {
    super(scope, id);
    this.definitionName = props.name;
    this.maxRunTime = maxRunTime(props.timeout);
    const environment = computeEnvironment(this, 'ComputeEnvironment', {
      ...props,
      securityGroups: [this.securityGroup(props.vpc)],
    });
    this.queue = new batch.JobQueue(this, 'Queue', {
      jobQueueName: props.name,
      computeEnvironments: [{ computeEnvironment: environment, order: 1 }],
    });
    defineRetriedJob(this, 'Definition', { ...props, container: this.container(props) });
  }

  private securityGroup(vpc: ec2.IVpc): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'AutoDump drills',
      allowAllOutbound: false,
    });
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'S3, and what Fargate needs: ECR and CloudWatch Logs');
    return group;
  }

  private container(props: DrillJobProps): batch.EcsFargateContainerDefinition {
    const environment: FixedEnvironment = {
      AUTODUMP_BUCKETS: props.dumpBucket.bucketNames.join(','),
      TMPDIR: SCRATCH,
    };
    return jobContainer(this, {
      ...props,
      image: jobImage(this, 'Image', 'drill', props.architecture),
      command: ['drill'],
      environment: { ...environment },
      jobRole: this.jobRole(props.dumpBucket),
      streamPrefix: 'drill',
    });
  }

  /** May read dumps and leave evidence, and no secret. */
  private jobRole(dumpBucket: DumpBucket): iam.Role {
    const role = new iam.Role(this, 'JobRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    dumpBucket.grantDrill(role);
    return role;
  }
}
