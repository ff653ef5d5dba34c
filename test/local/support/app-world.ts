import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { findClientPrograms } from '../../../local/postgres/client-programs.ts';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import type { Execution } from '../../../local/services/execution.ts';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import type { TraceEvent } from '../../../local/services/trace.ts';
import { World } from '../../../local/services/world.ts';

export const SCHEDULE_TAG = 'autodump:start-schedule';

const TEMPLATE = 'AutoDump.template.json';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;
}

/** Creates links to the output of synth, with a changed template. @returns their folder, in `folder` */
export async function changed(
  cdkOut: string,
  folder: string,
  change: (template: Template) => Template,
): Promise<string> {
  const copy = await mkdtemp(join(folder, 'cdk.out-'));
  const names = await readdir(cdkOut);
  await Promise.all(names.filter((it) => it !== TEMPLATE).map((name) => symlink(join(cdkOut, name), join(copy, name))));
  const template = JSON.parse(await readFile(join(cdkOut, TEMPLATE), 'utf8')) as Template;
  await writeFile(join(copy, TEMPLATE), JSON.stringify(change(template)));
  return copy;
}

/** How secrets reach a database server. */
export type Server = Pick<PostgresServer, 'host' | 'port' | 'user' | 'password'>;

/** The app in its own world, and what its users do there. */
export class AppWorld {
  readonly world: World;
  readonly events: readonly TraceEvent[];
  readonly #emitter: EventEmitter;
  readonly #server: Server;

  private constructor(world: World, server: Server, events: readonly TraceEvent[], emitter: EventEmitter) {
    this.world = world;
    this.events = events;
    this.#emitter = emitter;
    this.#server = server;
  }

  static async start(cdkOut: string, folder: string, server: Server): Promise<AppWorld> {
    const directory = await mkdtemp(join(folder, 'world-'));
    const clientFolders = (await findClientPrograms(process.env.PATH ?? '')).map((found) => found.folder);
    const events: TraceEvent[] = [];
    const emitter = new EventEmitter();
    const trace = (event: TraceEvent): void => {
      events.push(event);
      emitter.emit('event', event);
    };
    return new AppWorld(await World.start({ cdkOut, directory, clientFolders, trace }), server, events, emitter);
  }

  /** Settings of the administrator's SDK clients. */
  get administrator() {
    const credentials = credentialsOf(ADMINISTRATOR);
    return { endpoint: this.world.endpoints.services, region: 'us-west-2', credentials };
  }

  get bucket(): string {
    return this.world.buckets[0] ?? '';
  }

  /** Starts an action, and resolves on the first matching event after that. */
  async until(matches: (event: TraceEvent) => boolean, action: () => unknown): Promise<void> {
    const matched = new AbortController();
    const listen = (event: TraceEvent): void => {
      if (matches(event)) {
        matched.abort();
      }
    };
    this.#emitter.on('event', listen);
    const ended = once(matched.signal, 'abort');
    action();
    await ended;
    this.#emitter.off('event', listen);
  }

  /** Does something, and waits until its events have been handled. @returns the texts that were published meanwhile */
  async published(work: () => unknown): Promise<readonly string[]> {
    const before = this.events.length;
    await work();
    await this.world.settled();
    return this.events.slice(before).flatMap((event) => (event.kind === 'message published' ? [event.text] : []));
  }

  /**
   * Creates a secret for a database of the server, and waits until it has been checked and that is reported. @returns
   * its ARN
   */
  async createSecret(
    Name: string,
    { value = {}, ...input }: Partial<CreateSecretCommandInput> & { readonly value?: object } = {},
  ): Promise<string> {
    const { host, port, user, password } = this.#server;
    const database = { engine: 'postgres', endpoint: host, port, username: user, password, databasename: 'postgres' };
    const { ARN = '' } = await this.world.secretsManager.send(
      new CreateSecretCommand({
        Name,
        SecretString: JSON.stringify({ ...database, ...value }),
        Tags: [{ Key: SCHEDULE_TAG, Value: '@daily' }],
        ...input,
      }),
    );
    await this.#checked(ARN);
    return ARN;
  }

  /**
   * Tags a secret, and waits until it has been checked and that is reported: a check that still runs has an upload open
   * at the key of the next dump, which that would see.
   */
  async tagSecret(secretArn: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.world.secretsManager.send(new TagResourceCommand({ SecretId: secretArn, Tags }));
    await this.#checked(secretArn);
  }

  async #checked(secretArn: string): Promise<void> {
    await this.world.settled();
    await Promise.all(this.checksOf(secretArn).map(({ ended }) => ended));
    await this.world.settled();
  }

  /** The executions that check a secret, or all. */
  checksOf(secretArn = ''): readonly Execution[] {
    return this.world.executions.filter(({ arn, input }) => arn.includes('Check') && input.includes(secretArn));
  }

  /** The executions that dump. */
  get runs(): readonly Execution[] {
    return this.world.executions.filter(({ arn }) => !arn.includes('Check'));
  }

  /** The waiting executions of a secret. */
  allWaiting(secretArn: string): readonly Execution[] {
    return this.world.executions.filter(
      ({ input, wait, end }) => input.includes(secretArn) && wait !== undefined && end === undefined,
    );
  }

  /** The only waiting execution of a secret. */
  waiting(secretArn: string): Execution {
    const [execution, ...others] = this.allWaiting(secretArn);
    if (execution === undefined || others.length > 0) {
      throw new Error(`Expected one waiting execution, found ${this.allWaiting(secretArn).length}.`);
    }
    return execution;
  }

  /** The files of the dumps in the stack's bucket, relative to it. */
  async dumps(): Promise<readonly string[]> {
    const files = await readdir(join(this.world.objects, this.bucket), { recursive: true }).catch(() => []);
    return files.filter((file) => file.endsWith('.dmp'));
  }

  /** Ends the wait of a secret's execution, as if its time had come. @returns the execution, ended */
  async runNow(secretArn: string): Promise<Execution> {
    const execution = this.waiting(secretArn);
    execution.wait?.finish();
    await execution.ended;
    return execution;
  }

  /** Stops an execution, as a user would. */
  async stopExecution(executionArn: string, cause?: string): Promise<void> {
    const client = new SFNClient(this.administrator);
    await client.send(new StopExecutionCommand({ executionArn, cause }));
    client.destroy();
  }
}
