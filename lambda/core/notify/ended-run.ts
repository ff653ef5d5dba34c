import * as z from 'zod/mini';
import type { BranchResult, DumpResult, Purpose, ReschedulingResult, RunResult } from '../../../contract.ts';
import { type AboutExecution, aboutOf, type EndedExecution, endedExecutionOf, inputOf } from './ended-execution.ts';

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
export interface EndedRun extends AboutExecution {
  readonly purpose: Purpose;
  /** Scheduled time, if the execution was started with one. */
  readonly when: string | undefined;
  readonly end:
    // `undefined`: its job did not run, since nothing was due.
    | { readonly status: 'succeeded'; readonly result: RunResult | undefined }
    // Without a result, the cause is text: the execution did not come to its end, or was started before causes were
    // JSON.
    | { readonly status: 'failed'; readonly result: RunResult | undefined; readonly cause: string }
    | { readonly status: 'stopped' | 'timed out'; readonly cause: string };
}

/** @returns undefined for any other event */
export function endedRunOf(event: unknown): EndedRun | undefined {
  const ended = endedExecutionOf(event);
  if (ended === undefined) {
    return undefined;
  }
  const { when, purpose = 'dump' } = inputOf(ended) ?? {};
  return { ...aboutOf(ended), purpose, when, end: endOf(ended) };
}

function endOf({ status, output, cause, words }: EndedExecution): EndedRun['end'] {
  switch (status) {
    case 'SUCCEEDED':
      return { status: 'succeeded', result: success.safeParse(output).data?.branches };
    case 'FAILED':
      return { status: 'failed', result: result.safeParse(cause).data, cause: words };
    case 'ABORTED':
      return { status: 'stopped', cause: words };
    case 'TIMED_OUT':
      return { status: 'timed out', cause: words };
  }
}
