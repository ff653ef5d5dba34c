import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { z } from 'zod';
import { Template } from '../../../local/assembly/template.ts';

/** A template as CloudFormation takes it, as far as it is broken here. */
interface Written {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>;
}

/** A state machine's definition, as far as it is broken here. */
interface Definition {
  readonly States: Record<string, Record<string, unknown>>;
}

export function breakTemplate(cdkOut: string, change: (template: Written) => void): void {
  const file = join(cdkOut, 'AutoDump.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as Written;
  change(template);
  writeFileSync(file, JSON.stringify(template));
}

/**
 * Breaks the definition of the state machine. References to other resources are `@@0@@` and so on in it; the change may
 * return one more, which is `@@new@@`.
 */
export function breakDefinition(cdkOut: string, change: (definition: Definition, template: Written) => unknown): void {
  breakTemplate(cdkOut, (template) => {
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

/** Breaks a file of `lambda/`, and bundles the functions with it. */
export function breakCode(cdkOut: string, file: string, good: string, bad: string): void {
  const sources = join(cdkOut, 'broken');
  mkdirSync(sources);
  cpSync('lambda', join(sources, 'lambda'), { recursive: true });
  cpSync('contract.ts', join(sources, 'contract.ts'));
  const broken = join(sources, 'lambda', file);
  const text = readFileSync(broken, 'utf8');
  if (!text.includes(good)) {
    throw new Error(`lambda/${file} has no "${good}" to break.`);
  }
  writeFileSync(broken, text.replace(good, bad));
  const template = new Template(cdkOut);
  const codeSchema = z.object({ Code: z.object({ S3Key: z.string() }) });
  for (const resource of template.ofType('AWS::Lambda::Function')) {
    const source =
      { 'RunFunctions/Hash': 'hash', 'RunFunctions/Reschedule': 'reschedule' }[resource.title] ?? 'scanner';
    buildSync({
      entryPoints: [join(sources, 'lambda', `${source}.ts`)],
      outfile: join(template.fileAsset(template.properties(resource, codeSchema).Code.S3Key), 'index.js'),
      nodePaths: [resolve('node_modules')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      minify: true,
      keepNames: true,
      logLevel: 'error',
    });
  }
}
