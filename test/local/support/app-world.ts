import { EventEmitter, once } from 'node:events';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateSecretCommand, type CreateSecretCommandInput } from '@aws-sdk/client-secrets-manager';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { AutoDumpStack } from '../../../lib/autodump-stack.ts';
import { readContext } from '../../../lib/context.ts';
import { findClients } from '../../../local/postgres/clients.ts';
import type { PostgresServer } from '../../../local/postgres/server.ts';
import type { Execution } from '../../../local/services/execution.ts';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import type { Happening } from '../../../local/services/trace.ts';
import { startWorld, type World } from '../../../local/services/world.ts';
import { CONTEXT, makeApp } from '../../lib/synthesize.ts';

/** A key that is not of the stack. */
export const KEY = 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/** A bucket that secrets may name, not of the stack. */
export const ELSEWHERE = 'elsewhere';

/** Writes the app with every part that permissions are for. */
export function synthesizeEverything(outdir: string): void {
  const app = makeApp(outdir);
  // As the CDK CLI has it, so that resources have titles.
  app.node.setContext('aws:cdk:enable-path-metadata', true);
  const more = { extraBucketNames: ELSEWHERE, createReadOnlyUser: 'true', kmsKeyArn: KEY };
  new AutoDumpStack(app, 'AutoDump', { context: readContext({ ...CONTEXT, ...more }) });
  app.synth();
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;
}

/** Copies what synth wrote, with another template. */
export async function changed(
  cdkOut: string,
  folder: string,
  change: (template: Template) => Template,
): Promise<string> {
  const copy = await mkdtemp(join(folder, 'cdk.out-'));
  await cp(cdkOut, copy, { recursive: true });
  const file = join(copy, 'AutoDump.template.json');
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')) as Template)));
  return copy;
}

/** The app in a world of its own, and its user's doings. */
export class AppWorld {
  readonly world: World;
  readonly happenings: readonly Happening[];
  readonly #watch: EventEmitter;
  readonly #server: PostgresServer;

  private constructor(world: World, server: PostgresServer, happenings: readonly Happening[], watch: EventEmitter) {
    this.world = world;
    this.happenings = happenings;
    this.#watch = watch;
    this.#server = server;
  }

  static async start(cdkOut: string, folder: string, server: PostgresServer): Promise<AppWorld> {
    const directory = await mkdtemp(join(folder, 'world-'));
    const clients = (await findClients(process.env.PATH ?? '')).map((found) => found.folder);
    const happenings: Happening[] = [];
    const watch = new EventEmitter();
    const report = (happening: Happening): void => {
      happenings.push(happening);
      watch.emit('happening', happening);
    };
    return new AppWorld(await startWorld({ cdkOut, directory, clients, report }), server, happenings, watch);
  }

  get bucket(): string {
    return this.world.buckets[0] ?? '';
  }

  /** Comes when something happens that fits; `doing` begins once that is watched for. */
  async until(fits: (happening: Happening) => boolean, doing: () => unknown): Promise<void> {
    const happened = new AbortController();
    const listen = (happening: Happening): void => {
      if (fits(happening)) {
        happened.abort();
      }
    };
    this.#watch.on('happening', listen);
    const ended = once(happened.signal, 'abort');
    doing();
    await ended;
    this.#watch.off('happening', listen);
  }

  /** Creates a secret for a database of the server. @returns its ARN, once its event has been dealt with */
  async createSecret(Name: string, more: Partial<CreateSecretCommandInput> = {}): Promise<string> {
    const { host, port, user, password } = this.#server;
    const database = { engine: 'postgres', endpoint: host, port, username: user, password, databasename: 'postgres' };
    const { ARN = '' } = await this.world.secretsManager.send(
      new CreateSecretCommand({
        Name,
        SecretString: JSON.stringify(database),
        Tags: [{ Key: 'autodump:start-schedule', Value: '@daily' }],
        ...more,
      }),
    );
    await this.world.settled();
    return ARN;
  }

  /** The one execution of a secret that waits. */
  waiting(secretArn: string): Execution {
    const found = this.world.executions.filter(({ input, wait }) => input.includes(secretArn) && wait !== undefined);
    const [execution, ...others] = found;
    if (execution === undefined || others.length > 0) {
      throw new Error(`${found.length} executions wait.`);
    }
    return execution;
  }

  /** Lets the time come that the execution of a secret waits for. */
  async timeComes(secretArn: string): Promise<Execution> {
    const execution = this.waiting(secretArn);
    execution.wait?.finish();
    await execution.ended;
    return execution;
  }

  /** Stops an execution, as its user would. */
  async stopExecution(executionArn: string): Promise<void> {
    const client = new SFNClient({
      endpoint: this.world.endpoints.services,
      region: 'us-west-2',
      credentials: credentialsOf(ADMINISTRATOR),
    });
    await client.send(new StopExecutionCommand({ executionArn }));
    client.destroy();
  }
}
