import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { type BranchResult, type Comparison, type DumpResult, EXIT_STATUS } from '../../contract.ts';
import { parsedJson } from '../parsed-json.ts';

/** How a run ended. */
export interface RunEnd {
  /** Exit status of the dump program, or else of this command. */
  readonly status: number;
  /** Whole sentences. */
  readonly messages: readonly string[];
}

const UNKNOWN_STATUS = 1;

const branch = { failed: z.boolean(), message: z.string() } satisfies Record<keyof BranchResult, unknown>;

const result: z.ZodType<{
  readonly dump: Pick<DumpResult, 'failed' | 'message' | 'exitStatus'>;
  readonly reschedule: BranchResult;
}> = z.object({
  dump: z.object({ ...branch, exitStatus: z.union([z.number(), z.literal('none')]).optional() }),
  reschedule: z.object(branch),
});

const UNCHANGED: Comparison['outcome'] = 'unchanged';

const dumped = z.object({ comparison: z.object({ outcome: z.literal(UNCHANGED) }), branches: result });

const notDumped: z.ZodType<Pick<Comparison, 'reason'>> = z.object({ reason: z.string() });

/** How the run of an execution ended; undefined if it has not. */
export function runEndOf({ status, output, error, cause }: DescribeExecutionOutput): RunEnd | undefined {
  const words = [error, cause].filter(Boolean).join(': ') || 'no cause given';
  switch (status) {
    case 'SUCCEEDED':
      return succeeded(parsedJson(output ?? ''));
    case 'FAILED': {
      const { data } = result.safeParse(parsedJson(cause ?? ''));
      return data === undefined ? ended(`The run failed. ${words}`) : endOf(data);
    }
    case 'ABORTED':
      return ended(`The run was stopped. ${words}`);
    case 'TIMED_OUT':
      return ended(`The run timed out. ${words}`);
    default:
      return undefined;
  }
}

function succeeded(output: unknown): RunEnd {
  const { data } = dumped.safeParse(output);
  if (data !== undefined) {
    return endOf(data.branches);
  }
  const { reason } = notDumped.safeParse(output).data ?? { reason: JSON.stringify(output) };
  return { status: EXIT_STATUS.refused, messages: [`No dump was made. ${reason}`] };
}

/** The next run of the schedule has nothing to do with this one, so a failure to start it is only reported. */
function endOf({ dump, reschedule }: z.infer<typeof result>): RunEnd {
  const messages = [dump.message, reschedule.message];
  if (!dump.failed) {
    return { status: EXIT_STATUS.done, messages };
  }
  return { status: typeof dump.exitStatus === 'number' ? dump.exitStatus : UNKNOWN_STATUS, messages };
}

function ended(message: string): RunEnd {
  return { status: UNKNOWN_STATUS, messages: [message] };
}
