import { paginateListSecrets, type SecretListEntry, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from '@aws-sdk/util-arn-parser';
import { TAG_PREFIX } from '../../contract.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';

/**
 * Lists the secrets with any of AutoDump's tags, a hundred per call: some are only drilled. Not the Scanner's listing:
 * a secret that one of the two leaves out is still seen by the other.
 *
 * The list is complete or an error, and not a generator that `pMap` reads: it takes an error for the end of the list if
 * everything before it is done (p-map 7.1.1), and what is remembered of all other secrets would be lost.
 */
export async function taggedSecrets(client: SecretsManagerClient): Promise<readonly ListedSecret[]> {
  const secrets: ListedSecret[] = [];
  const pages = paginateListSecrets({ client, pageSize: 100 }, { Filters: [{ Key: 'tag-key', Values: [TAG_PREFIX] }] });
  for await (const { SecretList = [] } of pages) {
    secrets.push(...SecretList.map(listed));
  }
  return secrets;
}

function listed({ ARN, Name, Tags = [], PrimaryRegion }: SecretListEntry): ListedSecret {
  if (ARN === undefined || Name === undefined) {
    throw new Error(`Secrets Manager listed a secret without an ARN or a name: ${String(Name ?? ARN)}`);
  }
  const isReplica = PrimaryRegion !== undefined && PrimaryRegion !== parse(ARN).region;
  return { arn: ARN, name: Name, tags: Tags, isReplica };
}
