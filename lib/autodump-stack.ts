import { Annotations, CfnOutput, Duration, Size, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import type { DeployContext } from './context.ts';
import { DumpBucket } from './dump-bucket.ts';
import { DumpJob } from './dump-job.ts';
import { RestoreJob } from './restore-job.ts';
import { RunFunctions, Scanner } from './scheduling-functions.ts';
import { Triggers } from './triggers.ts';
import { Workflow } from './workflow.ts';

export interface AutoDumpStackProps extends StackProps {
  readonly context: DeployContext;
}

/** AutoDump, whole: its parts and how they are connected. */
export class AutoDumpStack extends Stack {
  constructor(scope: Construct, id: string, { context, ...props }: AutoDumpStackProps) {
    super(scope, id, props);

    const dumpBucket = new DumpBucket(this, 'Archive', {
      bucketName: context.bucketName,
      extraBucketNames: context.extraBucketNames,
      retention: Duration.days(context.retentionDays),
      kmsKeyArn: context.kmsKeyArn,
    });
    if (context.createReadOnlyUser) {
      dumpBucket.addReadOnlyUser();
    }
    const jobSize = {
      architecture: context.cpuArchitecture,
      vcpu: context.jobVcpu,
      memory: Size.mebibytes(context.jobMemoryMiB),
      storage: Size.gibibytes(context.ephemeralStorageGiB),
    };
    // Manifests and people know it, so it is not made up by CloudFormation.
    const restoreJobName = `${this.stackName}-restore`;
    const dumpJob = new DumpJob(this, 'DumpJob', {
      ...jobSize,
      dumpBucket,
      vpc: this.existingVpc(context),
      securityGroupIds: context.securityGroupIds,
      maxConcurrent: context.maxConcurrentDumps,
      timeout: Duration.hours(context.dumpTimeoutHours),
      restoreJobName,
    });
    const { image, computeEnvironment } = dumpJob;
    new RestoreJob(this, 'RestoreJob', { ...jobSize, dumpBucket, image, computeEnvironment, name: restoreJobName });
    const { hash, reschedule } = new RunFunctions(this, 'RunFunctions');
    const { stateMachine } = new Workflow(this, 'Workflow', { hash, reschedule, dumpJob });
    const deadLetters = new sqs.Queue(this, 'DeadLetters', { enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(deadLetters).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'This is the dead-letter queue.' });
    const scanner = new Scanner(this, 'Scanner', { stateMachine, deadLetters }).function;
    const scanInterval = Duration.minutes(context.scanIntervalMinutes);
    new Triggers(this, 'Triggers', { scanner, deadLetters, scanInterval });
    new Alarms(this, 'Alarms', { stateMachine, scanner, deadLetters });

    const groups = dumpJob.securityGroups.map(({ securityGroupId }) => securityGroupId).join(',');
    this.output('BucketName', dumpBucket.bucket.bucketName, 'Where the dumps are');
    this.output('StateMachineArn', stateMachine.stateMachineArn, 'Its executions are the runs, waiting and done');
    this.output('JobQueueArn', dumpJob.queue.jobQueueArn, 'Where dump jobs queue');
    this.output('JobDefinitionName', dumpJob.definitionName, 'What a dump job is');
    this.output('RestoreJobName', restoreJobName, 'Job definition, and job queue, of restores');
    this.output(
      'JobSecurityGroups',
      groups,
      "Allow these in the security group of each database, on the database's port",
    );
    this.output('ScannerName', scanner.functionName, 'Invoke it to scan at once');
    this.output('HashName', hash.functionName, 'Compares the tags when a wait is over');
    this.output('RescheduleName', reschedule.functionName, 'Starts the next run');
    this.output('DeadLetterQueueUrl', deadLetters.queueUrl, 'Events that were given up on');
  }

  private existingVpc(context: DeployContext): ec2.IVpc {
    const vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: context.vpcId,
      availabilityZones: [...context.availabilityZones],
      privateSubnetIds: [...context.privateSubnetIds],
    });
    Annotations.of(vpc).acknowledgeWarning(
      '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      'No route is added to the subnets.',
    );
    return vpc;
  }

  private output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
