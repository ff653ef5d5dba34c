import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './acknowledge.ts';

/**
 * Lets a role read the values of secrets that have a tag, and of no others. Secrets with a customer managed key can be
 * decrypted only through Secrets Manager, and only if the key's policy allows it.
 */
export function grantReadSecrets(role: iam.Role, sid: string, tag: string): void {
  const stack = Stack.of(role);
  const secrets = stack.formatArn({ service: 'secretsmanager', resource: 'secret:*' });
  const keys = stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  role.addToPolicy(
    new iam.PolicyStatement({
      sid,
      actions: ['secretsmanager:GetSecretValue'],
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
  acknowledgeWildcards(role, [secrets], 'The condition restricts it to secrets with the tag.');
  acknowledgeWildcards(role, [keys], 'A secret may have any key; the condition restricts its use to Secrets Manager.');
}
