import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Justifies to cdk-nag the wildcards in a construct's permissions. It covers only the listed resources, so that any
 * further wildcard is still reported.
 *
 * @param resources ARNs as they appear in the policy
 */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${nagName(Stack.of(scope).resolve(resource))}]`;
    Validations.of(scope).acknowledge({ id, reason });
  }
}

/** cdk-nag's notation for a resource: references in angle brackets. */
function nagName(resource: unknown): string {
  if (typeof resource === 'string') {
    return resource;
  }
  const [[intrinsic, value] = []] = Object.entries(resource as Record<string, unknown>);
  if (intrinsic === 'Fn::Join') {
    const [separator, parts] = value as [string, unknown[]];
    return parts.map(nagName).join(separator);
  }
  return intrinsic === 'Fn::GetAtt' ? `<${(value as string[]).join('.')}>` : `<${String(value)}>`;
}
