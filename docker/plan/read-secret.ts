import { log } from '../log.ts';
import { fetchSecret, type SecretReference } from './fetch-secret.ts';
import { ignoredOf } from './misspelled-names.ts';
import { lookUpDatabase } from './rds.ts';
import { givenBy, type GivenSecret, isSelfContained, withRds } from './secret-fields.ts';

/**
 * Reads a secret, and asks RDS for what it does not say.
 *
 * @throws {Failure} if the secret cannot be read, its value is not a JSON object, or RDS does not answer
 */
export async function readSecret(reference: SecretReference, signal: AbortSignal): Promise<GivenSecret> {
  const secret = await fetchSecret(reference, signal);
  const given = givenBy(secret);
  for (const ignored of ignoredOf(given)) {
    log(`Warning: Secret: ${ignored}`);
  }
  return isSelfContained(given) ? given : withRds(given, await lookUpDatabase(secret.tags, reference.region, signal));
}
