import type { Comparison } from '../../contract.ts';
import type { SecretDescription } from './decision.ts';
import { readTags } from './tags.ts';

/**
 * Compares the current state of a secret (`undefined` if it no longer exists) with the hash of the tags that its run was
 * started for. Only an unchanged secret is dumped; a new schedule has an execution of its own.
 */
export function compare(secret: SecretDescription | undefined, tagsHash: string): Comparison {
  if (!secret) {
    return { outcome: 'gone', reason: 'The secret no longer exists.' };
  }
  if (secret.DeletedDate) {
    return { outcome: 'gone', reason: 'The secret is marked for deletion.' };
  }
  const tags = readTags(secret.Tags);
  if (!tags) {
    return { outcome: 'removed', reason: 'The schedule tag was removed from the secret.' };
  }
  if (tags.hash !== tagsHash) {
    return {
      outcome: 'changed',
      reason: "The secret's schedule was changed; another execution serves the new one.",
    };
  }
  return { outcome: 'unchanged', reason: 'The schedule has not changed since this execution was started.' };
}
