import { randomUUID } from 'node:crypto';
import type {
  DBClusterMessage,
  DBInstanceMessage,
  DescribeDBClustersMessage,
  DescribeDBInstancesMessage,
} from '@aws-sdk/client-rds';
import { ACCOUNT, REGION } from '../../assembly/account.ts';
import { ServiceError } from '../protocol/json-endpoint.ts';
import type { SecretsManager } from '../secrets-manager/secrets-manager.ts';

/** A database server whose master password RDS manages. */
export interface ManagedDatabase {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
  readonly engine: string;
  readonly host: string;
  /** That of a cluster's readers. @default - the same */
  readonly readerHost?: string;
  readonly port: number;
  /** The database that was created with it. */
  readonly databaseName: string | undefined;
  readonly user: string;
  readonly password: string;
}

/** What RDS calls the two kinds in ARNs and names of secrets, and in the tags of secrets. */
const KINDS = {
  instance: { resource: 'db', tag: 'aws:rds:primaryDBInstanceArn' },
  cluster: { resource: 'cluster', tag: 'aws:rds:primaryDBClusterArn' },
} as const;

/** RDS: the servers that somebody else runs, and the secrets that it manages for them. */
export class Rds {
  readonly #databases = new Map<string, ManagedDatabase>();
  readonly #secrets: SecretsManager;

  constructor(secrets: SecretsManager) {
    this.#secrets = secrets;
  }

  /**
   * Creates a server's secret, as `--manage-master-user-password` does.
   * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
   *
   * @returns the secret's ARN
   */
  manage(database: ManagedDatabase): string {
    const { resource, tag } = KINDS[database.kind];
    const arn = `arn:aws:rds:${REGION}:${ACCOUNT}:${resource}:${database.identifier}`;
    this.#databases.set(arn, database);
    const value = JSON.stringify({ username: database.user, password: database.password });
    return this.#secrets.createForService(`rds!${resource}-${randomUUID()}`, value, [
      { Key: 'aws:secretsmanager:owningService', Value: 'rds' },
      { Key: tag, Value: arn },
    ]);
  }

  /** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html */
  describeDBInstances({ DBInstanceIdentifier: arn = '' }: DescribeDBInstancesMessage): DBInstanceMessage {
    const { identifier, engine, host, port, databaseName } = this.#find(arn, 'instance', 'DBInstanceNotFound');
    return {
      DBInstances: [
        {
          DBInstanceIdentifier: identifier,
          Engine: engine,
          DBName: databaseName,
          Endpoint: { Address: host, Port: port },
        },
      ],
    };
  }

  /** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html */
  describeDBClusters({ DBClusterIdentifier: arn = '' }: DescribeDBClustersMessage): DBClusterMessage {
    const database = this.#find(arn, 'cluster', 'DBClusterNotFoundFault');
    const { identifier, engine, host, readerHost = host, port, databaseName } = database;
    return {
      DBClusters: [
        {
          DBClusterIdentifier: identifier,
          Engine: engine,
          DatabaseName: databaseName,
          Endpoint: host,
          ReaderEndpoint: readerHost,
          Port: port,
        },
      ],
    };
  }

  #find(arn: string, kind: ManagedDatabase['kind'], code: string): ManagedDatabase {
    const database = this.#databases.get(arn);
    if (database?.kind !== kind) {
      throw new ServiceError(code, `${arn} not found.`);
    }
    return database;
  }
}
