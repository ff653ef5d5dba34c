import type { Comparison } from '../../contract.ts';
import type { SecretDescription } from './decision.ts';
import { readTags } from './tags.ts';

/**
 * Compares a secret as it is now (`undefined`: there is none) with the hash of the tags that its run was started for.
 * Only an unchanged secret is dumped; what a newer tag asks for, a newer execution serves.
 */
export function compare(secret: SecretDescription | undefined, tagsHash: string): Comparison {
  if (!secret) {
    return { outcome: 'gone', reason: 'The secret does not exist any more.' };
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
      reason: "The secret's schedule was changed; another execution waits for the new one.",
    };
  }
  return { outcome: 'unchanged', reason: 'The schedule is what it was when this execution was started.' };
}
