import { type Attempt, type Execution, type ExecutionEnd, prevented, type Step } from '../services/execution.ts';

const MINUTE = 60_000;

/**
 * The documented cause of a run that failed, with the result of each branch. It is not parsed as JSON, since the
 * interpreter drops all backslashes from the results of intrinsic functions (aws-local-stepfunctions 3.0.0).
 */
const CAUSE = /^\{"dump":\{"failed":(true|false),(.*)\},"reschedule":\{"failed":(true|false),(.*)\}\}$/s;

export function lastAttempt({ attempts }: Execution, step: Step): Attempt | undefined {
  return attempts.findLast((attempt) => attempt.step === step);
}

/** What is wrong with an execution that has ended, and that nobody stopped. */
export function problemsOfEnd(execution: Execution): readonly string[] {
  const { attempts, end } = execution;
  const needless = attempts.find(({ ok, prevented: isPrevented }) => !ok && !isPrevented);
  const problems = [
    needless && `${needless.step} failed although no fault prevented it`,
    delay(execution),
    surrender(execution),
    end?.status === 'TIMED_OUT' ? 'it lasted longer than Step Functions allows' : wrongEnd(execution),
    end?.status === 'FAILED' ? wrongCause(execution, end) : undefined,
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** A step must begin once what it waits for is done. The job and rescheduling do not wait for each other. */
function delay(execution: Execution): string | undefined {
  const { attempts, when, started } = execution;
  const compared = lastAttempt(execution, 'compare')?.ended ?? Infinity;
  const earliest = { compare: Math.max(when, started), job: compared, reschedule: compared };
  const late = (['compare', 'job', 'reschedule'] as const).find((step) => {
    const first = attempts.find((attempt) => attempt.step === step);
    return first !== undefined && first.started > earliest[step] + MINUTE;
  });
  return late && `${late} began late`;
}

/** A step that fails for good must have been tried often enough, unless a job was accepted: Batch retries that. */
function surrender(execution: Execution): string | undefined {
  const { jobs, lostResponses } = execution;
  const hasJob = jobs.length > lostResponses;
  const early = (['compare', 'job', 'reschedule'] as const).find(
    (step) => lastAttempt(execution, step)?.ok === false && !(step === 'job' && hasJob) && !prevented(execution, step),
  );
  return early && `${early} was not tried often enough`;
}

/** Why an execution must not have ended as it did, if so. */
function wrongEnd(execution: Execution): string | undefined {
  const { end, outcome, purpose } = execution;
  const job = lastAttempt(execution, 'job');
  const reschedule = lastAttempt(execution, 'reschedule');
  const succeeded = end?.status === 'SUCCEEDED';
  if (lastAttempt(execution, 'compare')?.ok !== true) {
    const isRight = end?.status === 'FAILED' && job === undefined && reschedule !== undefined;
    return isRight ? undefined : 'the tags were never compared';
  }
  if (outcome === 'moved') {
    const isRight = job === undefined && succeeded === reschedule?.ok;
    return isRight ? undefined : 'the schedule was not due';
  }
  if (outcome !== 'unchanged') {
    return succeeded && job === undefined && reschedule === undefined ? undefined : 'it was superseded';
  }
  if (job === undefined || reschedule === undefined) {
    return `there was no ${job === undefined ? purpose : 'rescheduling'}`;
  }
  if (succeeded !== (job.ok && reschedule.ok)) {
    const result = ({ ok }: Attempt): string => (ok ? 'succeeded' : 'failed');
    return `the ${purpose} ${result(job)}, and rescheduling ${result(reschedule)}`;
  }
  return undefined;
}

/** The cause must say which branches failed, each with the secret and the reason. */
function wrongCause(execution: Execution, { cause }: ExecutionEnd & { status: 'FAILED' }): string | undefined {
  const { secret, purpose } = execution;
  const [isCause, jobFailed, job = '', rescheduleFailed, reschedule = ''] = CAUSE.exec(cause) ?? [];
  if (isCause === undefined) {
    return 'the cause does not have the results of both branches';
  }
  const isRight = (failed: string | undefined, text: string, last: Attempt | undefined): boolean => {
    const { ok = true, problem = '' } = last ?? {};
    return failed === String(!ok) && (ok || (text.includes(secret.arn) && text.includes(problem)));
  };
  const lastOfJob = lastAttempt(execution, 'job') ?? lastAttempt(execution, 'compare');
  if (!isRight(jobFailed, job, lastOfJob)) {
    return `the cause does not say whether and why the ${purpose} failed, and of which secret`;
  }
  return isRight(rescheduleFailed, reschedule, lastAttempt(execution, 'reschedule'))
    ? undefined
    : 'the cause does not say whether and why rescheduling failed, and of which secret';
}
