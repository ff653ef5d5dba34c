import { fetchSecret, type SecretReference } from './fetch-secret.ts';
import { lookUpDatabase } from './rds.ts';
import { isSelfContained } from './secret-fields.ts';
import type { DescribedSecret } from './secret.ts';

/**
 * Reads a secret, and asks RDS for what it does not say.
 *
 * @throws {Failure} if the secret cannot be read, or RDS does not answer
 */
export async function readSecret(reference: SecretReference, signal: AbortSignal): Promise<DescribedSecret> {
  const secret = await fetchSecret(reference, signal);
  return { ...secret, rds: isSelfContained(secret) ? {} : await lookUpDatabase(secret, reference.region, signal) };
}
