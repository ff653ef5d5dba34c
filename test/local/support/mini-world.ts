import { EventEmitter, once } from 'node:events';
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach } from '@jest/globals';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import type { TraceEvent } from '../../../local/services/trace.ts';
import { World } from '../../../local/services/world.ts';
import { tempFolders } from '../../support/temp-folder.ts';
import { type Resources, writeCdkOut } from './cdk-out.ts';

/** ARN of the state machine with the logical ID `Machine`. */
const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:Mini-Machine';

const folder = tempFolders();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** A role that may do everything, and that all services may assume. */
const role = (name: string) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: name,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: ['lambda.amazonaws.com', 'states.amazonaws.com', 'ecs-tasks.amazonaws.com'] },
          Action: 'sts:AssumeRole',
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'Everything',
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
      },
    ],
  },
});

/** A function with the code of an asset. */
export function lambda(asset: string, properties: object = {}) {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Key: `${asset}.zip` },
      Handler: 'index.handler',
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      ...properties,
    },
  };
}

/** Lets rules invoke the function with the logical ID `Fn`. */
export const RULES_MAY_INVOKE = {
  Type: 'AWS::Lambda::Permission',
  Properties: { Action: 'lambda:InvokeFunction', FunctionName: { Ref: 'Fn' }, Principal: 'events.amazonaws.com' },
};

export function machine(definition: object) {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: { DefinitionString: JSON.stringify(definition), RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } },
  };
}

/** A definition with one task, which invokes a function with the whole input. */
export function calling(FunctionName: string, more: object = {}) {
  return {
    StartAt: 'Call',
    States: {
      Call: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName, 'Payload.$': '$' },
        OutputPath: '$.Payload',
        End: true,
        ...more,
      },
    },
  };
}

export interface Stage {
  readonly world: World;
  readonly events: readonly TraceEvent[];
  /** Resolves on the first event of a kind, even if it is past. */
  readonly first: (kind: TraceEvent['kind']) => Promise<void>;
  readonly stop: (executionArn: string) => Promise<unknown>;
  readonly start: (name: string, input?: object) => Promise<{ executionArn?: string; startDate?: Date }>;
}

/** Runs a small stack until the end of the test. */
export async function stage(
  resources: Resources,
  assets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<Stage> {
  const directory = folder();
  writeCdkOut(`${directory}/cdk.out`, { Role: role('mini'), ...resources }, assets);
  const events: TraceEvent[] = [];
  const emitter = new EventEmitter();
  const world = await World.start({
    cdkOut: `${directory}/cdk.out`,
    directory,
    clientFolders: [],
    trace: (event) => {
      events.push(event);
      emitter.emit(event.kind);
    },
  });
  cleanups.push(() => world.stop());
  const client = new SFNClient({
    endpoint: world.endpoints.services,
    region: 'us-west-2',
    credentials: credentialsOf(ADMINISTRATOR),
    maxAttempts: 1,
  });
  cleanups.push(() => {
    client.destroy();
    return Promise.resolve();
  });
  const start: Stage['start'] = (name, input = {}) =>
    client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name, input: JSON.stringify(input) }));
  const stop: Stage['stop'] = (executionArn) => client.send(new StopExecutionCommand({ executionArn }));
  const first: Stage['first'] = async (kind) => {
    if (!events.some((event) => event.kind === kind)) {
      await once(emitter, kind);
    }
  };
  return { world, events, first, start, stop };
}
