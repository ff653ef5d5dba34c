import type { Size } from 'aws-cdk-lib';
import * as batch from 'aws-cdk-lib/aws-batch';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge.ts';
import { leaveOut } from '../leave-out.ts';
import type { Architecture } from './job-image.ts';

/** Resources of a job. */
export interface JobSize {
  readonly architecture: Architecture;
  readonly vcpu: number;
  readonly memory: Size;
  /** Ephemeral disk, which holds a dump during the job. */
  readonly storage: Size;
}

export interface JobContainerProps extends JobSize {
  readonly image: DockerImageAsset;
  /** Arguments of the program in the image. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly jobRole: iam.IRole;
  readonly logGroup: logs.ILogGroup;
  /** Prefix of the names of log streams. */
  readonly streamPrefix: string;
}

/** Mount point of the scratch disk; the image declares a volume there. */
export const SCRATCH = '/scratch';

/**
 * Leaves out the host of the scratch volume, which Batch does not take on Fargate and CDK always writes. Without it,
 * the volume is on the job's ephemeral disk.
 */
export function leaveOutVolumeHost(definition: batch.EcsJobDefinition): void {
  leaveOut(definition, 'ContainerProperties.Volumes.0.Host');
}

/** The container of a job on Fargate: unprivileged, with a read-only root. */
export function jobContainer(scope: Construct, props: JobContainerProps): batch.EcsFargateContainerDefinition {
  const executionRole = new iam.Role(scope, 'ExecutionRole', {
    assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
  });
  acknowledgeWildcards(
    executionRole,
    ['*'],
    'GetAuthorizationToken, needed to pull an image, has no resource-level permissions.',
  );
  return new batch.EcsFargateContainerDefinition(scope, 'Container', {
    image: ecs.ContainerImage.fromDockerImageAsset(props.image),
    command: [...props.command],
    environment: { ...props.environment },
    cpu: props.vcpu,
    memory: props.memory,
    ephemeralStorageSize: props.storage,
    fargateCpuArchitecture: ecs.CpuArchitecture.of(props.architecture),
    fargateOperatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    // The user that the image creates. The scratch volume inherits its owner from the image's VOLUME at the same path.
    user: '10001',
    readonlyRootFilesystem: true,
    volumes: [batch.EcsVolume.host({ name: 'scratch', containerPath: SCRATCH })],
    logging: ecs.LogDriver.awsLogs({
      logGroup: props.logGroup,
      streamPrefix: props.streamPrefix,
    }),
    executionRole,
    jobRole: props.jobRole,
  });
}
