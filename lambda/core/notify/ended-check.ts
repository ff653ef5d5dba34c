import * as z from 'zod/mini';
import { type CheckInput, type DumpResult, NO_FURTHER_REASON } from '../../../contract.ts';
import { type AboutExecution, aboutOf, type EndedExecution } from './ended-execution.ts';

/** The next runs of a secret. */
export type Upcoming = Pick<CheckInput, 'when' | 'following' | 'timezone'>;

/** A check that has ended. */
export interface EndedCheck extends AboutExecution, Pick<EndedExecution, 'startDate' | 'stopDate'> {
  /** As of the start. Undefined if someone started the execution with another input. */
  readonly upcoming: Upcoming | undefined;
  readonly end:
    | { readonly status: 'passed'; readonly logStream: string | undefined }
    | ({ readonly status: 'failed' } & Omit<DumpResult, 'failed'> & { readonly exitStatus: number })
    // No program came to its end.
    | { readonly status: 'not made'; readonly cause: string };
}

const upcoming: z.ZodMiniType<Upcoming> = z.object({
  when: z.string(),
  following: z.array(z.string()),
  timezone: z.string(),
});

/** The description of the job, in the names of Step Functions. */
const jobSchema = z.object({
  Attempts: z._default(z.array(z.unknown()), []),
  Container: z.object({
    ExitCode: z.optional(z.number()),
    LogStreamName: z.optional(z.string()),
    Reason: z._default(z.string(), NO_FURTHER_REASON),
  }),
  StatusReason: z._default(z.string(), 'no reason given'),
});

export function endedCheckOf(ended: EndedExecution): EndedCheck {
  const { startDate, stopDate, input } = ended;
  return { ...aboutOf(ended), startDate, stopDate, upcoming: upcoming.safeParse(input).data, end: endOf(ended) };
}

function endOf({ status, output, cause, words }: EndedExecution): EndedCheck['end'] {
  if (status === 'SUCCEEDED') {
    return { status: 'passed', logStream: jobSchema.safeParse(output).data?.Container.LogStreamName };
  }
  const job = jobSchema.safeParse(cause).data;
  const exitStatus = job?.Container.ExitCode;
  if (status !== 'FAILED' || job === undefined || exitStatus === undefined) {
    return { status: 'not made', cause: job === undefined ? words : reasonOf(job) };
  }
  const { Attempts, Container } = job;
  return {
    status: 'failed',
    message: words,
    exitStatus,
    reason: reasonOf(job),
    attempts: Attempts.length,
    ...(Container.LogStreamName === undefined ? {} : { logStream: Container.LogStreamName }),
  };
}

function reasonOf({ StatusReason, Container }: z.infer<typeof jobSchema>): string {
  return `${StatusReason} (${Container.Reason})`;
}
