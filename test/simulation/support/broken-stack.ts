import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { z } from 'zod';
import { Template } from '../../../local/assembly/template.ts';

/** A synthesized template, as far as tests break it. */
interface WrittenTemplate {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>;
}

/** The definition of the state machine, as far as tests break it. */
interface Definition {
  readonly States: Record<string, Record<string, unknown>>;
}

/** Changes a synthesized stack, whose files are links: it replaces those that it changes. */
export type Break = (cdkOut: string) => void;

export function breakTemplate(change: (template: WrittenTemplate) => void): Break {
  return (cdkOut) => {
    const file = join(cdkOut, 'AutoDump.template.json');
    const template = JSON.parse(readFileSync(file, 'utf8')) as WrittenTemplate;
    change(template);
    replaceFile(file, JSON.stringify(template));
  };
}

/**
 * Breaks the definition of the state machine, in which `@@0@@`, `@@1@@`, … stand for references to other resources. The
 * change may return another reference, for which `@@new@@` stands.
 */
export function breakDefinition(change: (definition: Definition, template: WrittenTemplate) => unknown): Break {
  return breakTemplate((template) => {
    const machine = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
    const { DefinitionString } = machine?.Properties as { DefinitionString: { 'Fn::Join': [string, unknown[]] } };
    const references: Record<string, unknown> = {};
    const text = DefinitionString['Fn::Join'][1].map((part, i) => {
      if (typeof part === 'string') {
        return part;
      }
      references[i] = part;
      return `@@${i}@@`;
    });
    const definition = JSON.parse(text.join('')) as Definition;
    references.new = change(definition, template);
    const broken = JSON.stringify(definition).split(/@@(\w+)@@/);
    DefinitionString['Fn::Join'][1] = broken.map((part, i) => (i % 2 === 0 ? part : references[part]));
  });
}

/** Breaks the code of those functions that contain the good code. The stack must be {@link makeBreakable}. */
export function breakCode(good: RegExp, bad: string): Break {
  return (cdkOut) => {
    const bundles = functionsOf(cdkOut).map(({ title, bundle }) => ({ bundle, text: textOf(title, bundle) }));
    const matches = bundles.filter(({ text }) => good.test(text));
    if (matches.length === 0) {
      throw new Error(`No function contains ${String(good)}.`);
    }
    for (const { bundle, text } of matches) {
      replaceFile(bundle, text.replace(good, bad));
    }
  };
}

/** By the title of the function. They are large, and the same for all mutants. */
const bundles = new Map<string, string>();

function textOf(title: string, bundle: string): string {
  const text = bundles.get(title) ?? readFileSync(bundle, 'utf8');
  bundles.set(title, text);
  return text;
}

function replaceFile(file: string, text: string): void {
  rmSync(file);
  writeFileSync(file, text);
}

/** Copies a folder by links to its files. */
export function linkFolder(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      mkdirSync(target);
      linkFolder(source, target);
    } else {
      linkSync(source, target);
    }
  }
}

/** The sources of the functions in `lambda/`, by their title. */
const SOURCES: Readonly<Record<string, string>> = {
  'Scanner/Function': 'scanner',
  'RunFunctions/Hash': 'compare-tags',
  'RunFunctions/Reschedule': 'reschedule',
  'Freshness/Function': 'freshness',
  'Notify/Function': 'notify',
};

/** Replaces the minified bundles by readable ones, in which {@link breakCode} finds the code of `lambda/`. */
export function makeBreakable(cdkOut: string): void {
  for (const { title, bundle } of functionsOf(cdkOut)) {
    const source = SOURCES[title];
    if (source === undefined) {
      throw new Error(`The source of the function ${title} is not known.`);
    }
    buildSync({
      entryPoints: [`lambda/${source}.ts`],
      outfile: bundle,
      allowOverwrite: true,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      keepNames: true,
      logLevel: 'error',
    });
  }
}

const codeSchema = z.object({ Code: z.object({ S3Key: z.string() }) });

function functionsOf(cdkOut: string): readonly { readonly title: string; readonly bundle: string }[] {
  const template = new Template(cdkOut);
  return template.ofType('AWS::Lambda::Function').map((resource) => {
    const { S3Key } = template.properties(resource, codeSchema).Code;
    return { title: resource.title, bundle: join(template.fileAsset(S3Key), 'index.js') };
  });
}
