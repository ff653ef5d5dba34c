import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './acknowledge.ts';

/**
 * Lets a role read the values of the secrets that bear a tag, and of no other. Those with a key of their own are
 * decrypted by way of Secrets Manager alone, and the key's policy has to agree.
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
  acknowledgeWildcards(role, [secrets], 'Which secrets it may read is said by their tag, which the condition demands.');
  acknowledgeWildcards(role, [keys], 'A secret may have any key; the condition demands the way by Secrets Manager.');
}
