import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AutoDumpStack } from '../../lib/autodump-stack.ts';
import { readContext } from '../../lib/context.ts';

/** The context of the README's example. */
export const CONTEXT = {
  vpcId: 'vpc-0a5fd51718cbc523a',
  privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412a',
  availabilityZones: 'us-west-2a,us-west-2b',
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true });
  }
});

/** Makes a folder that is deleted after the tests of the file; CDK would leave its own behind. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'autodump-test-'));
  folders.push(folder);
  return folder;
}

/** An app with the feature flags of cdk.json, as under the CDK CLI. */
export function makeApp(outdir = makeFolder()): App {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  return new App({ context, analyticsReporting: false, outdir });
}

export function makeStack(context: Readonly<Record<string, unknown>> = {}, app = makeApp()): AutoDumpStack {
  return new AutoDumpStack(app, 'AutoDump', { context: readContext({ ...CONTEXT, ...context }) });
}

export function synthesize(context: Readonly<Record<string, unknown>> = {}): Template {
  return Template.fromStack(makeStack(context));
}

/** The parts of a template's resource that tests look at. */
export interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: Readonly<Record<string, unknown>>;
}

export function resourcesOf(template: Template, type: string): Readonly<Record<string, Resource>> {
  return template.findResources(type) as Record<string, Resource>;
}
