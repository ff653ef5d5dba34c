import * as z from 'zod/mini';
import type { Purpose, RunResult } from '../../../contract.ts';
import { runResult } from '../run-result.ts';
import { type AboutExecution, aboutOf, type EndedExecution, inputOf } from './ended-execution.ts';

const success = z.object({ comparison: z.object({ outcome: z.literal('unchanged') }), branches: runResult });

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

export function endedRunOf(ended: EndedExecution): EndedRun {
  const { when, purpose = 'dump' } = inputOf(ended) ?? {};
  return { ...aboutOf(ended), purpose, when, end: endOf(ended) };
}

function endOf({ status, output, cause, words }: EndedExecution): EndedRun['end'] {
  switch (status) {
    case 'SUCCEEDED':
      return { status: 'succeeded', result: success.safeParse(output).data?.branches };
    case 'FAILED':
      return { status: 'failed', result: runResult.safeParse(cause).data, cause: words };
    case 'ABORTED':
      return { status: 'stopped', cause: words };
    case 'TIMED_OUT':
      return { status: 'timed out', cause: words };
  }
}
