import { parse, validate } from '@aws-sdk/util-arn-parser';
import * as z from 'zod/mini';

const tagEvent = z.object({
  detail: z.object({
    requestParameters: z.nullish(z.object({ secretId: z.optional(z.string()) })),
    // CloudTrail uses both spellings.
    responseElements: z.nullish(z.object({ arn: z.optional(z.string()), aRN: z.optional(z.string()) })),
  }),
});

/**
 * The name or ARN of the secret in a CloudTrail event of Secrets Manager. `undefined` for any other event: of the
 * periodic rule, a deployment or a manual invocation.
 */
export function secretIdOf(event: unknown): string | undefined {
  const parsed = tagEvent.safeParse(event);
  if (!parsed.success) {
    return undefined;
  }
  const { requestParameters, responseElements } = parsed.data.detail;
  return responseElements?.arn ?? responseElements?.aRN ?? requestParameters?.secretId;
}

/**
 * Whether a secret's ARN is of another account than `ownArn`. CloudTrail also reports what principals of this account
 * do to secrets of others, whose policies allow it. A name is one of this account.
 */
export function isOfAnotherAccount(secretId: string, ownArn: string): boolean {
  return validate(secretId) && parse(secretId).accountId !== parse(ownArn).accountId;
}
