import {
  DescribeSecretCommand,
  ListSecretsCommand,
  ResourceNotFoundException,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { TAG_PREFIX } from '../contract.ts';
import type { SecretDescription } from './core/decision.ts';

/**
 * Reads a secret's tags and state, never its value. Unlike a listing it is up to date. @returns undefined if none
 * exists
 */
export async function describeSecret(
  client: SecretsManagerClient,
  secretId: string,
): Promise<SecretDescription | undefined> {
  try {
    return withArn(await client.send(new DescribeSecretCommand({ SecretId: secretId })));
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw error;
  }
}

export interface Page {
  readonly secrets: readonly SecretDescription[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

/**
 * Lists a page of the secrets with any of AutoDump's tags: by their common prefix, since the documentation does not say
 * whether a filter with several values wants one or all of them. The listing may lag behind changes by five minutes,
 * and a page may be empty although others follow.
 */
export async function listTaggedSecrets(client: SecretsManagerClient, nextToken?: string): Promise<Page> {
  const { SecretList = [], NextToken } = await client.send(
    new ListSecretsCommand({
      Filters: [{ Key: 'tag-key', Values: [TAG_PREFIX] }],
      MaxResults: 100,
      NextToken: nextToken,
    }),
  );
  return { secrets: SecretList.map(withArn), nextToken: NextToken };
}

function withArn(secret: SecretListEntry): SecretDescription {
  if (secret.ARN === undefined) {
    throw new Error(`Secrets Manager returned a secret without an ARN: ${String(secret.Name)}`);
  }
  return { ...secret, ARN: secret.ARN };
}
