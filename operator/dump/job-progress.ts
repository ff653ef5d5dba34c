import { type BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { explain } from '../explain.ts';
import { JobLog } from './job-log.ts';

export interface JobProgressOptions {
  readonly batch: BatchClient;
  readonly logs: CloudWatchLogsClient;
  /** ARN. */
  readonly jobQueue: string;
  readonly jobName: string;
  /** Prints a line. */
  readonly report: (line: string) => void;
}

/** Reports what becomes of a job: its states, and its log. */
export class JobProgress {
  readonly #options: JobProgressOptions;
  readonly #log: JobLog;
  #state = '';
  #problem = '';

  constructor(options: JobProgressOptions) {
    this.#options = options;
    this.#log = new JobLog(options.logs);
  }

  /** Reports what is new. That the job or its log cannot be read is reported too: the run ends all the same. */
  async report(): Promise<void> {
    try {
      const job = await this.#find();
      if (job !== undefined) {
        this.#reportState(job);
        await this.#reportLog(job);
      }
    } catch (error) {
      const problem = `The job cannot be followed: ${explain(error)}`;
      if (problem !== this.#problem) {
        this.#problem = problem;
        this.#options.report(problem);
      }
    }
  }

  /**
   * The job, or the last one if it was submitted twice. With a filter, Batch lists jobs in all states, the newest
   * first.
   */
  async #find(): Promise<JobDetail | undefined> {
    const { batch, jobQueue, jobName } = this.#options;
    const filters = [{ name: 'JOB_NAME', values: [jobName] }];
    const { jobSummaryList = [] } = await batch.send(new ListJobsCommand({ jobQueue, filters }));
    const jobId = jobSummaryList[0]?.jobId;
    if (jobId === undefined) {
      return undefined;
    }
    const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: [jobId] }));
    return jobs[0];
  }

  /** How the job ended is a part of how the run ended. */
  #reportState({ jobId = '', status = 'SUBMITTED', statusReason }: JobDetail): void {
    const state = `Job ${jobId}: ${status}${statusReason === undefined ? '' : `, ${statusReason}`}`;
    if (status !== 'SUCCEEDED' && status !== 'FAILED' && state !== this.#state) {
      this.#state = state;
      this.#options.report(state);
    }
  }

  /** Each attempt may have a log stream of its own. */
  async #reportLog({ container, attempts = [] }: JobDetail): Promise<void> {
    const group = container?.logConfiguration?.options?.['awslogs-group'];
    if (group === undefined) {
      return;
    }
    const containers = [...attempts.map((attempt) => attempt.container), container];
    for (const stream of new Set(containers.flatMap((one) => one?.logStreamName ?? []))) {
      for await (const line of this.#log.newLines(group, stream)) {
        this.#options.report(line);
      }
    }
  }
}
