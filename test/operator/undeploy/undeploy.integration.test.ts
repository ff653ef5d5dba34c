import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Template } from '../../../local/assembly/template.ts';
import type { Loopback } from '../../../local/host/loopback.ts';
import { ADMINISTRATOR } from '../../../local/services/iam/decision.ts';
import { credentialsOf } from '../../../local/services/protocol/credentials.ts';
import { World } from '../../../local/services/world.ts';
import { type Environment, undeploy } from '../../../operator/undeploy/undeploy.ts';
import { synthesizedAppWithOptions } from '../../support/synthesized-app.ts';
import { serveStack, type StackResource } from '../support/cloudformation.ts';

const PHYSICAL_IDS: Readonly<Record<string, (template: Template, resource: Resource) => string>> = {
  'AWS::Events::Rule': (template, resource) => template.nameOf(resource),
  'AWS::Logs::LogGroup': (template, resource) => template.nameOf(resource),
  'AWS::S3::Bucket': (template, resource) => template.nameOf(resource),
  'AWS::StepFunctions::StateMachine': (template, resource) => template.arnOf(resource),
  'AWS::Lambda::Function': (template, resource) => template.nameOf(resource),
};
type Resource = ReturnType<Template['ofType']>[number];

let folder: string;
let world: World;
let cloudFormation: Loopback;
let environment: Omit<Environment, 'cdk' | 'confirm' | 'report'>;
let resources: readonly StackResource[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const cdkOut = await synthesizedAppWithOptions();
  world = await World.start({ cdkOut, directory: join(folder, 'world'), clientFolders: [], trace: () => undefined });
  const template = new Template(cdkOut);
  resources = Object.entries(PHYSICAL_IDS).flatMap(([type, physicalId]) =>
    template
      .ofType(type)
      .map((resource) => ({ type, logicalId: resource.logicalId, physicalId: physicalId(template, resource) })),
  );
  cloudFormation = await serveStack('AutoDump', {
    resources,
    template: readFileSync(join(cdkOut, 'AutoDump.template.json'), 'utf8'),
  });
  const options = { region: 'us-west-2', credentials: credentialsOf(ADMINISTRATOR) };
  const services = { ...options, endpoint: world.endpoints.services };
  environment = {
    region: 'us-west-2',
    cloudFormation: new CloudFormationClient({ ...options, endpoint: cloudFormation.url }),
    eventBridge: new EventBridgeClient(services),
    stepFunctions: new SFNClient(services),
  };
});

afterAll(async () => {
  environment.cloudFormation.destroy();
  environment.eventBridge.destroy();
  environment.stepFunctions.destroy();
  await cloudFormation.stop();
  await world.stop();
  await rm(folder, { recursive: true });
});

const runs = () => world.executions.filter(({ arn }) => !arn.includes('Check'));
const running = () => runs().filter(({ end }) => end === undefined).length;

async function tagSecret(Name: string): Promise<void> {
  const Tags = [{ Key: 'autodump:start-schedule', Value: '@daily' }];
  await world.secretsManager.send(new CreateSecretCommand({ Name, SecretString: '{}', Tags }));
  await world.settled();
  // Its value is refused.
  await Promise.all(world.executions.filter(({ wait }) => wait === undefined).map(({ ended }) => ended));
  await world.settled();
}

function recorded(cdk: (args: readonly string[]) => void = () => undefined) {
  const calls: string[][] = [];
  const lines: string[] = [];
  const asked: string[] = [];
  const recording: Environment = {
    ...environment,
    cdk: (args) => {
      calls.push([...args]);
      return Promise.resolve().then(() => {
        cdk(args);
      });
    },
    confirm: (question) => {
      asked.push(question);
      return Promise.resolve(false);
    },
    report: (line) => lines.push(line),
  };
  return { calls, lines, asked, recording };
}

test('changes nothing without confirmation, but lists what would happen', async () => {
  await tagSecret('one');
  await tagSecret('two');
  const { calls, lines, asked, recording } = recorded();
  await expect(undeploy({ context: [], force: false }, recording)).rejects.toThrow('Nothing was changed.');
  expect(asked).toEqual(['Remove AutoDump from us-west-2?']);
  expect(lines).toContainEqual(expect.stringContaining('These stay'));
  expect(calls).toEqual([]);
  expect(running()).toBe(2);
});

test('changes nothing if the app cannot be synthesized', async () => {
  const { recording } = recorded(() => {
    throw new Error('cdk synth failed');
  });
  await expect(undeploy({ context: [], force: true }, recording)).rejects.toThrow('cdk synth failed');
  expect(running()).toBe(2);
  await tagSecret('three');
  expect(running()).toBe(3);
});

test('disables the rules, stops all executions, then destroys the stack, and lists what stays', async () => {
  const runningAtDestroy: number[] = [];
  const { calls, lines, asked, recording } = recorded(([command]) => {
    if (command === 'destroy') {
      runningAtDestroy.push(running());
    }
  });
  await undeploy({ context: ['vpcId=vpc-1', 'x=a b;c'], force: true }, recording);

  expect(asked).toEqual([]);
  expect(calls).toEqual([
    ['synth', '--quiet', '--output', 'cdk.out', '--context', 'vpcId=vpc-1', '--context', 'x=a b;c'],
    ['destroy', '--app', 'cdk.out', '--force', 'AutoDump'],
  ]);
  expect(runningAtDestroy).toEqual([0]);
  expect(runs().map(({ end }) => end?.status)).toEqual(['ABORTED', 'ABORTED', 'ABORTED']);
  const staying = resources.filter(({ type }) => /Bucket|LogGroup/.test(type));
  expect(staying).toHaveLength(11);
  for (const { type, physicalId } of staying) {
    expect(lines).toContain(`  - ${type} ${physicalId}`);
  }
  expect(lines).toContain('Stopped 3 executions. Destroying the stack …');
  expect(lines.at(-1)).toBe('AutoDump was removed from us-west-2. 11 resources stay, as listed above.');

  await tagSecret('late');
  world.triggerSchedules();
  world.sendDeploymentEvent();
  await world.settled();
  expect(running()).toBe(0);
  expect(runs()).toHaveLength(3);
});

test('says how to go on if the stack cannot be destroyed', async () => {
  const { recording } = recorded(([command]) => {
    if (command === 'destroy') {
      throw new Error('cdk destroy failed: exit status 1.');
    }
  });
  await expect(undeploy({ context: [], force: true }, recording)).rejects.toThrow(
    /^cdk destroy failed: exit status 1\.\nRun undeploy again.*aws events enable-rule --name AutoDump-Triggers-/s,
  );
});
