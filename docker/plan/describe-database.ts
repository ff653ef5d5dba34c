import {
  DBClusterNotFoundFault,
  DBInstanceNotFoundFault,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import type { HttpHandlerOptions } from '@smithy/types';
import { TAG_PREFIX } from '../../contract.ts';
import { awsFailure, guards, TIMEOUTS } from '../aws.ts';
import { Failure } from '../failure.ts';

/** Fields of a secret's value, as far as RDS knows them. */
export interface RdsFields {
  readonly endpoint?: string | undefined;
  readonly port?: number | undefined;
  readonly engine?: string | undefined;
  /** The database that was created with the instance or cluster, if one was. */
  readonly databasename?: string | undefined;
}

/** Longer than the description of one database instance or cluster. */
const DESCRIPTION_BYTES = 1024 * 1024;

/**
 * Asks RDS about a database instance.
 *
 * @throws {Failure} as {@link ask} does
 */
export function describeInstance(arn: string, region: string, signal: AbortSignal): Promise<RdsFields> {
  return ask(arn, region, signal, async (client, options) => {
    const { DBInstances: [found] = [] } = await client.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: arn }),
      options,
    );
    const { Endpoint: endpoint, Engine: engine, DBName: databasename } = found ?? {};
    return { endpoint: endpoint?.Address, port: endpoint?.Port, engine, databasename };
  });
}

/**
 * Asks RDS about a cluster, and for its reader endpoint, if that is preferred.
 *
 * @throws {Failure} as {@link ask} does
 */
export function describeCluster(
  arn: string,
  prefersReader: boolean,
  region: string,
  signal: AbortSignal,
): Promise<RdsFields> {
  return ask(arn, region, signal, async (client, options) => {
    const { DBClusters: [found] = [] } = await client.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: arn }),
      options,
    );
    const { Endpoint: writer, ReaderEndpoint, Port: port, Engine: engine, DatabaseName: databasename } = found ?? {};
    return { endpoint: prefersReader ? ReaderEndpoint : writer, port, engine, databasename };
  });
}

/**
 * Both operations take the ARN as the identifier.
 *
 * @throws {Failure} `refused` if the database does not exist or access is denied, `tryAgain` if RDS cannot be reached,
 *   or the database has no endpoint, as while it is being created
 */
async function ask(
  arn: string,
  region: string,
  signal: AbortSignal,
  describe: (client: RDSClient, options: HttpHandlerOptions) => Promise<RdsFields>,
): Promise<RdsFields> {
  const client = new RDSClient({ region, ...TIMEOUTS });
  client.middlewareStack.use(guards(DESCRIPTION_BYTES));
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
