import { log } from '../log.ts';
import { fetchSecret, type SecretReference } from './fetch-secret.ts';
import { ignoredTags } from './names.ts';
import { lookUpDatabase } from './rds.ts';
import { givenBy, type GivenSecret, isSelfContained, withRds } from './secret-fields.ts';

/**
 * Reads a secret, and asks RDS for what it does not say.
 *
 * @throws {Failure} if the secret cannot be read, its value is not a JSON object, or RDS does not answer
 */
export async function readSecret(reference: SecretReference, signal: AbortSignal): Promise<GivenSecret> {
  const secret = await fetchSecret(reference, signal);
  for (const ignored of ignoredTags(secret.tags)) {
    log(`Warning: Secret: ${ignored}`);
  }
  const given = givenBy(secret);
  return isSelfContained(given) ? given : withRds(given, await lookUpDatabase(secret.tags, reference.region, signal));
}
