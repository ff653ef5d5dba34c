import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Justifies, for cdk-nag, that permissions of a construct end in a wildcard: for these resources and no other, so that
 * a further wildcard is found.
 *
 * @param resources ARNs as the policy has them
 */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${spell(Stack.of(scope).resolve(resource))}]`;
    Validations.of(scope).acknowledge({ id, reason });
  }
}

/** A resource as cdk-nag spells it: references in angle brackets. */
function spell(resource: unknown): string {
  if (typeof resource === 'string') {
    return resource;
  }
  const [[intrinsic, value] = []] = Object.entries(resource as Record<string, unknown>);
  if (intrinsic === 'Fn::Join') {
    const [separator, parts] = value as [string, unknown[]];
    return parts.map(spell).join(separator);
  }
  return intrinsic === 'Fn::GetAtt' ? `<${(value as string[]).join('.')}>` : `<${String(value)}>`;
}
