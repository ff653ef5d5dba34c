import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AutoDumpStack } from '../../lib/autodump-stack.ts';
import { readContext } from '../../lib/context.ts';
import { tempFoldersOfFile } from '../support/temp-folder.ts';
import { CONTEXT } from './example-context.ts';

/** CDK would leave a folder of its own behind. */
const folder = tempFoldersOfFile();

/** The app with the feature flags of cdk.json, as the CDK CLI creates it. */
export function makeApp(outdir = folder()): App {
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
