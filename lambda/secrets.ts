import {
  DescribeSecretCommand,
  paginateListSecrets,
  ResourceNotFoundException,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SCHEDULE_TAG } from '../contract.ts';
import type { SecretDescription } from './core/decision.ts';

/** Reads a secret's tags and state, never its value. Unlike a listing the answer is up to date. */
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

/**
 * All secrets whose tags include one that begins like the schedule tag, page by page. The listing may lag behind
 * changes by five minutes, and a page may be empty although others follow.
 */
export async function* listTaggedSecrets(client: SecretsManagerClient): AsyncGenerator<readonly SecretDescription[]> {
  const filters = [{ Key: 'tag-key' as const, Values: [SCHEDULE_TAG] }];
  for await (const page of paginateListSecrets({ client, pageSize: 100 }, { Filters: filters })) {
    yield (page.SecretList ?? []).map(withArn);
  }
}

function withArn(secret: SecretListEntry): SecretDescription {
  if (secret.ARN === undefined) {
    throw new Error(`Secrets Manager described a secret without an ARN: ${String(secret.Name)}`);
  }
  return { ...secret, ARN: secret.ARN };
}
