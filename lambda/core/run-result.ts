import * as z from 'zod/mini';
import {
  type BranchResult,
  type DumpResult,
  NO_FURTHER_REASON,
  type ReschedulingResult,
  type RunResult,
} from '../../contract.ts';
import { inWords } from './exit-status.ts';

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
      timezone: z.optional(z.string()),
    }),
  ),
});

/** The results of the branches of a run, parsed. */
export const runResult: z.ZodMiniType<RunResult> = z.object({ dump, reschedule: rescheduling });

/** What Batch says of a program that ended on its own. */
const USUAL_REASON = `Essential container in task exited (${NO_FURTHER_REASON})`;

/** How the job of a dump or a check ended: whole sentences. */
export function reasonsOf({
  exitStatus,
  reason,
  attempts = 1,
  message,
}: Omit<DumpResult, 'failed'>): readonly string[] {
  if (typeof exitStatus !== 'number') {
    return [message];
  }
  const end = `The job ended with ${inWords(exitStatus)}${attempts > 1 ? `, on the last of ${attempts} attempts` : ''}.`;
  return [end, ...(reason === undefined || reason === USUAL_REASON ? [] : [`Batch says: ${reason}`])];
}
