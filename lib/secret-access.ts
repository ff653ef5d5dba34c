import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './acknowledge.ts';

/**
 * Lets a role read the values and tags of secrets that have a tag, and of no others, and ask RDS about the databases of
 * those that it manages. Secrets with a customer managed key can be decrypted only through Secrets Manager, and only if
 * the key's policy allows it.
 */
export function grantReadSecrets(role: iam.Role, sid: string, tag: string): void {
  const stack = Stack.of(role);
  const secrets = stack.formatArn({ service: 'secretsmanager', resource: 'secret:*' });
  const keys = stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  role.addToPolicy(
    new iam.PolicyStatement({
      sid,
      actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      resources: [secrets],
      conditions: { Null: { [`aws:ResourceTag/${tag}`]: 'false' } },
    }),
  );
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'DecryptSecrets',
      actions: ['kms:Decrypt'],
      resources: [keys],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.${stack.urlSuffix}` } },
    }),
  );
  const instances = stack.formatArn({ service: 'rds', resource: 'db:*' });
  const clusters = stack.formatArn({ service: 'rds', resource: 'cluster:*' });
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'DescribeInstances',
      actions: ['rds:DescribeDBInstances'],
      resources: [instances],
    }),
  );
  role.addToPolicy(
    new iam.PolicyStatement({ sid: 'DescribeClusters', actions: ['rds:DescribeDBClusters'], resources: [clusters] }),
  );
  acknowledgeWildcards(role, [instances, clusters], 'Any database may be the one of a secret that RDS manages.');
  acknowledgeWildcards(role, [secrets], 'The condition restricts it to secrets with the tag.');
  acknowledgeWildcards(role, [keys], 'A secret may have any key; the condition restricts its use to Secrets Manager.');
}
