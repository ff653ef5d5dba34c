import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { REGION } from '../assembly/account.ts';
import { credentialsOf, type Endpoints } from './protocol/credentials.ts';

export interface AwsClients {
  readonly secretsManager: SecretsManagerClient;
  readonly s3: S3Client;
}

/** Opens SDK clients that sign as a principal, and so have its permissions. */
export function openClients(principal: string, endpoints: Endpoints): AwsClients {
  const options = { region: REGION, credentials: credentialsOf(principal) };
  return {
    secretsManager: new SecretsManagerClient({ ...options, endpoint: endpoints.services }),
    s3: new S3Client({ ...options, endpoint: endpoints.s3, forcePathStyle: true }),
  };
}
