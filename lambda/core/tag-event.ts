import * as z from 'zod/mini';

const tagEvent = z.object({
  detail: z.object({
    requestParameters: z.nullish(z.object({ secretId: z.optional(z.string()) })),
    // CloudTrail writes both spellings of the ARN.
    responseElements: z.nullish(z.object({ arn: z.optional(z.string()), aRN: z.optional(z.string()) })),
  }),
});

/**
 * The name or ARN of the secret that a CloudTrail event of Secrets Manager is about. `undefined` for whatever else
 * invokes a scan: the periodic rule, a deployment, a person.
 */
export function secretNamedBy(event: unknown): string | undefined {
  const parsed = tagEvent.safeParse(event);
  if (!parsed.success) {
    return undefined;
  }
  const { requestParameters, responseElements } = parsed.data.detail;
  return responseElements?.arn ?? responseElements?.aRN ?? requestParameters?.secretId;
}
