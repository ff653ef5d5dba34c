import {
  DBClusterNotFoundFault,
  DBInstanceNotFoundFault,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { HttpHandlerOptions } from '@smithy/types';
import { PREFER_TAG, TAG_PREFIX } from '../../contract.ts';
import { awsFailure, openRds } from '../aws.ts';
import { Failure } from '../failure.ts';
import type { Secret } from './fetch-secret.ts';

/** Fields of a secret's value, as far as RDS knows them. */
export interface RdsFields {
  readonly endpoint?: string | undefined;
  readonly port?: number | undefined;
  readonly engine?: string | undefined;
  /** The database that was created with the instance or cluster, if one was. */
  readonly databasename?: string | undefined;
}

/**
 * Tags of the secrets that RDS manages.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
 */
const INSTANCE_TAG = 'aws:rds:primaryDBInstanceArn';
const CLUSTER_TAG = 'aws:rds:primaryDBClusterArn';

/** The only value of {@link PREFER_TAG}. */
const READER = 'reader';

/** Why {@link PREFER_TAG} cannot be followed, if it is there and cannot. */
export function preferenceProblem(tags: Secret['tags'], isEndpointGiven: boolean): string | undefined {
  const prefer = tags.get(PREFER_TAG);
  if (prefer === undefined) {
    return undefined;
  }
  if (prefer !== READER) {
    return `the tag ${PREFER_TAG} is "${prefer}", but the only value is ${READER}`;
  }
  if (isEndpointGiven) {
    return `the tag ${PREFER_TAG} is only for an endpoint that is looked up, but one is given: remove one of them`;
  }
  return tags.has(CLUSTER_TAG)
    ? undefined
    : `the tag ${PREFER_TAG} is only for the secret of a cluster that RDS manages: only a cluster has a reader endpoint`;
}

/**
 * Asks RDS about the database of a secret that it manages. Without a tag of RDS, nothing is asked and nothing returned.
 *
 * @param tags of the secret
 * @param region of the secret, and so of the database
 * @throws {Failure} `refused` if the database does not exist or access is denied, `tryAgain` if RDS cannot be reached,
 *   or the database has no endpoint, as while it is being created
 */
export async function lookUpDatabase(tags: Secret['tags'], region: string, signal: AbortSignal): Promise<RdsFields> {
  const instance = tags.get(INSTANCE_TAG);
  const cluster = tags.get(CLUSTER_TAG);
  if (cluster !== undefined) {
    const prefersReader = tags.get(PREFER_TAG) === READER;
    return ask(cluster, region, signal, (client, options) => describeCluster(client, cluster, prefersReader, options));
  }
  return instance === undefined
    ? {}
    : ask(instance, region, signal, (client, options) => describeInstance(client, instance, options));
}

/** Both operations take the ARN as the identifier. */
async function describeInstance(client: RDSClient, arn: string, options: HttpHandlerOptions): Promise<RdsFields> {
  const { DBInstances: [found] = [] } = await client.send(
    new DescribeDBInstancesCommand({ DBInstanceIdentifier: arn }),
    options,
  );
  const { Endpoint: endpoint, Engine: engine, DBName: databasename } = found ?? {};
  return { endpoint: endpoint?.Address, port: endpoint?.Port, engine, databasename };
}

async function describeCluster(
  client: RDSClient,
  arn: string,
  reader: boolean,
  options: HttpHandlerOptions,
): Promise<RdsFields> {
  const { DBClusters: [found] = [] } = await client.send(
    new DescribeDBClustersCommand({ DBClusterIdentifier: arn }),
    options,
  );
  const { Endpoint: writer, ReaderEndpoint, Port: port, Engine: engine, DatabaseName: databasename } = found ?? {};
  return { endpoint: reader ? ReaderEndpoint : writer, port, engine, databasename };
}

async function ask(
  arn: string,
  region: string,
  signal: AbortSignal,
  describe: (client: RDSClient, options: HttpHandlerOptions) => Promise<RdsFields>,
): Promise<RdsFields> {
  const client = openRds(region);
  let found: RdsFields;
  try {
    found = await describe(client, { abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DBInstanceNotFoundFault || error instanceof DBClusterNotFoundFault) {
      throw new Failure('refused', `RDS has no ${arn}, which a tag of the secret names: it was deleted or renamed.`, {
        cause: error,
      });
    }
    throw withAdvice(awsFailure(`ask RDS about ${arn}`, error), region);
  } finally {
    client.destroy();
  }
  if (found.endpoint === undefined) {
    throw new Failure('tryAgain', `RDS has no endpoint of ${arn} yet.`);
  }
  return found;
}

/** Subnets that use only VPC endpoints usually have no route to RDS. */
function withAdvice(error: unknown, region: string): unknown {
  const tags = ['endpoint', 'engine', 'databasename'].map((field) => TAG_PREFIX + field).join(', ');
  return error instanceof Failure && error.reason === 'tryAgain'
    ? new Failure(
        error.reason,
        `${error.message} If the subnets have no route to RDS, create the VPC endpoint com.amazonaws.${region}.rds, or ` +
          `set the tags ${tags} yourself.`,
        { cause: error },
      )
    : error;
}
