import { PREFER_TAG } from '../../contract.ts';
import type { RdsFields } from './describe-database.ts';
import type { Secret } from './fetch-secret.ts';

/**
 * Tags of the secrets that RDS manages.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
 */
const INSTANCE_TAG = 'aws:rds:primaryDBInstanceArn';
const CLUSTER_TAG = 'aws:rds:primaryDBClusterArn';

/** The only value of {@link PREFER_TAG}. */
const READER = 'reader';

/** Why {@link PREFER_TAG} cannot be followed, if it is there and cannot. */
export function preferenceProblem(tags: Secret['tags'], isEndpointGiven: boolean): string | undefined {
  const prefer = tags.get(PREFER_TAG);
  if (prefer === undefined) {
    return undefined;
  }
  if (prefer !== READER) {
    return `the tag ${PREFER_TAG} is "${prefer}", but the only value is ${READER}`;
  }
  if (isEndpointGiven) {
    return `the tag ${PREFER_TAG} is only for an endpoint that is looked up, but one is given: remove one of them`;
  }
  return tags.has(CLUSTER_TAG)
    ? undefined
    : `the tag ${PREFER_TAG} is only for the secret of a cluster that RDS manages: only a cluster has a reader endpoint`;
}

/**
 * Asks RDS about the database of a secret that it manages. Without a tag of RDS, nothing is asked and nothing returned.
 *
 * @param tags of the secret
 * @param region of the secret, and so of the database
 * @throws {Failure} `refused` if the database does not exist or access is denied, `tryAgain` if RDS cannot be reached,
 *   or the database has no endpoint, as while it is being created
 */
export async function lookUpDatabase(tags: Secret['tags'], region: string, signal: AbortSignal): Promise<RdsFields> {
  const cluster = tags.get(CLUSTER_TAG);
  const arn = cluster ?? tags.get(INSTANCE_TAG);
  if (arn === undefined) {
    return {};
  }
  // Loaded only now: few secrets need it, and it would take a seventh of the time of each start.
  const { describeCluster, describeInstance } = await import('./describe-database.ts');
  return arn === cluster
    ? describeCluster(arn, tags.get(PREFER_TAG) === READER, region, signal)
    : describeInstance(arn, region, signal);
}
