import { paginateListSecrets, type SecretListEntry, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from '@aws-sdk/util-arn-parser';
import { SCHEDULE_TAG } from '../../contract.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';

/**
 * Lists the secrets with a tag that starts with the schedule tag, a hundred per call. Not the Scanner's listing: a
 * secret that one of the two leaves out is still seen by the other.
 */
export async function* taggedSecrets(client: SecretsManagerClient): AsyncGenerator<ListedSecret> {
  const pages = paginateListSecrets(
    { client, pageSize: 100 },
    { Filters: [{ Key: 'tag-key', Values: [SCHEDULE_TAG] }] },
  );
  for await (const { SecretList = [] } of pages) {
    yield* SecretList.map(listed);
  }
}

function listed({ ARN, Name, Tags = [], PrimaryRegion }: SecretListEntry): ListedSecret {
  if (ARN === undefined || Name === undefined) {
    throw new Error(`Secrets Manager listed a secret without an ARN or a name: ${String(Name ?? ARN)}`);
  }
  const isReplica = PrimaryRegion !== undefined && PrimaryRegion !== parse(ARN).region;
  return { arn: ARN, name: Name, tags: Tags, isReplica };
}
