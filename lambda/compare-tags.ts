import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Comparison, HashInput } from '../contract.ts';
import { compare } from './core/comparison.ts';
import { describeSecret } from './secrets.ts';

const secretsManager = new SecretsManagerClient();

/**
 * The Hash function: checks whether the tags, and the times that they mean, are still those that the execution was
 * started for.
 */
export async function handler({ secretArn, ...started }: HashInput): Promise<Comparison> {
  const comparison = compare(await describeSecret(secretsManager, secretArn), started);
  console.info({ secretArn, purpose: started.purpose, ...comparison });
  return comparison;
}
