import * as z from 'zod/mini';
import { problemsOf } from '../scan-failed.ts';
import { secretIdOf } from '../tag-event.ts';

/**
 * The record that Lambda sends of an event on which a function failed even on its last retry:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
const eventSchema = z.object({
  /** When the function failed for the last time, UTC, whole seconds. */
  time: z.optional(z.string()),
  'detail-type': z.literal('Lambda Function Invocation Result - Failure'),
  detail: z.object({
    requestPayload: z.optional(z.unknown()),
    requestContext: z.object({ functionArn: z.string(), condition: z.string() }),
    /** Absent if the event was never handled. */
    responsePayload: z.nullish(z.object({ errorType: z.optional(z.string()), errorMessage: z.string() })),
  }),
});

/** A scan that has failed, or never took place. */
export interface FailedScan {
  /** When, UTC, RFC 3339. */
  readonly seen: string | undefined;
  /** What it could not do, one line for each problem. */
  readonly problems: readonly string[];
}

/** @returns undefined for any other event */
export function failedScanOf(event: unknown): FailedScan | undefined {
  const { data } = eventSchema.safeParse(event);
  if (data === undefined) {
    return undefined;
  }
  const { time: seen } = data;
  const { requestContext, requestPayload, responsePayload } = data.detail;
  const { errorType, errorMessage = '' } = responsePayload ?? {};
  const problems = problemsOf(errorType, errorMessage);
  if (problems !== undefined) {
    return { seen, problems };
  }
  const scanned = secretIdOf(requestPayload) ?? 'all secrets';
  const problem = responsePayload
    ? `${responsePayload.errorType ?? 'Error'}: ${responsePayload.errorMessage}`
    : requestContext.condition;
  return { seen, problems: [`The scan of ${scanned} did not come to its end: ${problem}`] };
}
