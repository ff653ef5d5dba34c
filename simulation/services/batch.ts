import { z } from 'zod';
import { TaskError } from '../../local/services/task.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Episodes } from '../runtime/episodes.ts';
import type { Faults } from '../runtime/faults.ts';
import { type Execution, runSite } from './execution.ts';
import type { Json } from './json.ts';
import { SUBMIT_QUOTA, TokenBucket } from './token-bucket.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const submitSchema = z.object({ JobName: z.string(), JobDefinition: z.string() });

const SUBMIT_FAULTS = { 'submit throttled': 0.01, 'submit answer lost': 0.005 };
const SUBMIT_OUTAGE = { 'submit throttled': 1 };

const JOB_FAULTS = { 'job failed': 0.03, 'job timed out': 0.005, 'job reclaimed': 0.02, 'job overrun': 0.02 };

/** AWS Batch: accepts jobs, which then succeed or fail. */
export class Batch {
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #episodes: Episodes;
  readonly #quota = new TokenBucket(SUBMIT_QUOTA);
  #revision = 1;

  constructor(clock: Clock, faults: Faults, episodes: Episodes) {
    this.#clock = clock;
    this.#faults = faults;
    this.#episodes = episodes;
  }

  /** A deployment registers a new revision of the job definition, and deregisters the previous one. */
  deploy(): void {
    this.#revision += 1;
  }

  get revision(): number {
    return this.#revision;
  }

  /**
   * Runs a job to its end.
   *
   * @param accepted called when Batch has accepted the job, with whether its response arrives
   * @throws {TaskError} if the job is not accepted, its response is lost, or it fails
   */
  async submitJob(parameters: unknown, execution: Execution, accepted: (answered: boolean) => void): Promise<Json> {
    const { JobName, JobDefinition } = submitSchema.parse(parameters);
    const pinned = /:(\d+)$/.exec(JobDefinition)?.[1];
    const site = `SubmitJob|${runSite(execution)}`;
    const fault = this.#faults.decide(site, this.#faults.outage('SubmitJob') ? SUBMIT_OUTAGE : SUBMIT_FAULTS);
    await this.#clock.sleep(fault.latency);
    const isOverQuota = !this.#quota.take(this.#clock.now);
    if (isOverQuota) {
      this.#faults.count('SubmitJob over its quota');
    }
    if (isOverQuota || fault.kind === 'submit throttled') {
      throw new TaskError('Batch.TooManyRequestsException', 'Rate exceeded');
    }
    if (pinned !== undefined && Number(pinned) !== this.#revision) {
      throw new TaskError('Batch.ClientException', `JobDefinition ${JobDefinition} is not active`);
    }
    accepted(fault.kind !== 'submit answer lost');
    if (fault.kind === 'submit answer lost') {
      throw new TaskError('Batch.SdkClientException', 'Connection reset');
    }
    return await this.#run(JobName, site);
  }

  async #run(name: string, site: string): Promise<Json> {
    const { kind, latency } = this.#faults.decide(`job|${site}`, JOB_FAULTS);
    // Scales the latency to a duration from two minutes to half an hour.
    await this.#clock.sleep(latency * 0.4 * MINUTE);
    if (this.#episodes.isOn('jobs failing')) {
      throw failedJob(name, 'Essential container in task exited', 77);
    }
    switch (kind) {
      case 'job failed':
        throw failedJob(name, 'Essential container in task exited', 77);
      case 'job timed out':
        await this.#clock.sleep(12 * HOUR);
        throw failedJob(name, 'Job attempt duration exceeded timeout');
      case 'job reclaimed':
        await this.#clock.sleep(HOUR);
        break;
      case 'job overrun':
        await this.#clock.sleep(30 * HOUR);
        break;
      case undefined:
        break;
    }
    return { JobId: 'simulated', JobName: name, Status: 'SUCCEEDED' };
  }
}

/** What Step Functions says of a job that failed. */
export function failedJob(name: string, reason: string, exitCode?: number): TaskError {
  const container = {
    LogStreamName: 'dump/default/simulated',
    ...(exitCode === undefined ? {} : { ExitCode: exitCode }),
  };
  const job = { JobId: 'simulated', JobName: name, Status: 'FAILED', StatusReason: reason, Container: container };
  return new TaskError('States.TaskFailed', JSON.stringify(job));
}
