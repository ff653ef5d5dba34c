import * as z from 'zod/mini';
import type { BranchResult, DumpResult, ExecutionInput, ReschedulingResult, RunResult } from '../../../contract.ts';
import { secretName } from '../execution-name.ts';
import { parsedJson } from '../parsed-json.ts';

/**
 * The event at the end of an execution, in which input, output and often the cause are texts of JSON:
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const eventSchema = z.object({
  detail: z.object({
    executionArn: z.string(),
    stopDate: z.nullish(z.number()),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
    input: z.nullish(z.string()),
    output: z.nullish(z.string()),
    error: z.nullish(z.string()),
    cause: z.nullish(z.string()),
  }),
});

const input: z.ZodMiniType<Pick<ExecutionInput, 'secretArn' | 'when'>> = z.object({
  secretArn: z.string().check(z.regex(/^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:/)),
  when: z.string(),
});

const branch = { failed: z.boolean(), message: z.string() } satisfies Record<keyof BranchResult, unknown>;

const dump: z.ZodMiniType<DumpResult> = z.object({
  ...branch,
  exitStatus: z.optional(z.union([z.number(), z.literal('none')])),
  reason: z.optional(z.string()),
  attempts: z.optional(z.number()),
  logStream: z.optional(z.string()),
});

const rescheduling: z.ZodMiniType<ReschedulingResult> = z.object({
  ...branch,
  result: z.optional(
    z.object({
      outcome: z.enum(['started', 'waiting', 'closed', 'later', 'superseded']),
      reason: z.string(),
      next: z.optional(z.string()),
    }),
  ),
});

const result: z.ZodMiniType<RunResult> = z.object({ dump, reschedule: rescheduling });

const success = z.object({ comparison: z.object({ outcome: z.literal('unchanged') }), branches: result });

/** A run that has ended. */
export interface EndedRun {
  /** Tells this end from others: an execution that is redriven has several. */
  readonly id: string;
  /** ARN of the execution. */
  readonly execution: string;
  /** Name of the secret; that of the execution if someone started it with another input. */
  readonly secret: string;
  readonly secretArn: string | undefined;
  /** Scheduled time, if the execution was started with one. */
  readonly when: string | undefined;
  readonly end:
    // `undefined`: it made no dump, since none was due.
    | { readonly status: 'succeeded'; readonly result: RunResult | undefined }
    // Without a result, the cause is text: the execution did not come to its end, or was started before causes were JSON.
    | { readonly status: 'failed'; readonly result: RunResult | undefined; readonly cause: string }
    | { readonly status: 'stopped' | 'timed out'; readonly cause: string };
}

/** @returns undefined for any other event */
export function endedRunOf(event: unknown): EndedRun | undefined {
  const { data } = eventSchema.safeParse(event);
  if (data === undefined) {
    return undefined;
  }
  const { detail } = data;
  const started = input.safeParse(parsedJson(detail.input)).data;
  return {
    id: `${detail.executionArn}@${detail.stopDate ?? ''}`,
    execution: detail.executionArn,
    secret: started === undefined ? (detail.executionArn.split(':').at(-1) ?? '') : secretName(started.secretArn),
    secretArn: started?.secretArn,
    when: started?.when,
    end: endOf(detail),
  };
}

function endOf({ status, output, error, cause }: z.infer<typeof eventSchema>['detail']): EndedRun['end'] {
  const words = [error, cause].filter(Boolean).join(': ') || 'no cause given';
  switch (status) {
    case 'SUCCEEDED':
      return { status: 'succeeded', result: success.safeParse(parsedJson(output)).data?.branches };
    case 'FAILED':
      return { status: 'failed', result: result.safeParse(parsedJson(cause)).data, cause: words };
    case 'ABORTED':
      return { status: 'stopped', cause: words };
    case 'TIMED_OUT':
      return { status: 'timed out', cause: words };
  }
}
