import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { synthesizedApp, synthesizedAppWithOptions } from '../support/synthesized-app.ts';
import type { Resource } from './synthesize.ts';

/** The resources of a template, by logical ID. */
export type Resources = Readonly<Record<string, Resource>>;

async function resourcesIn(folder: string): Promise<Resources> {
  const template = await readFile(join(folder, 'AutoDump.template.json'), 'utf8');
  return (JSON.parse(template) as { readonly Resources: Resources }).Resources;
}

/** The template that all test files share: to read it takes a fraction of the time of loading CDK. */
export async function synthesizedResources(): Promise<Resources> {
  return resourcesIn(await synthesizedApp());
}

/** As {@link synthesizedResources}, with every optional part that has permissions. */
export async function synthesizedResourcesWithOptions(): Promise<Resources> {
  return resourcesIn(await synthesizedAppWithOptions());
}

export function ofType(resources: Resources, type: string): Resources {
  return Object.fromEntries(Object.entries(resources).filter(([, { Type }]) => Type === type));
}
