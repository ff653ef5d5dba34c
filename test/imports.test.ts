import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { describe, expect, test } from '@jest/globals';
import { loadESLint } from 'eslint';
import ts from 'typescript';
import { z } from 'zod';

const ROOMS = ['bench', 'bin', 'docker', 'lambda', 'lib', 'local', 'operator', 'simulation'];

const FILES = globSync([...ROOMS, 'test'].map((room) => `${room}/**/*.ts`)).concat('contract.ts');

/** Imports of files are relative and end in `.ts`, so they need no resolution. Those of types count too. */
function importsOf(file: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.') && fileName.endsWith('.ts'))
    .map(({ fileName }) => join(dirname(file), fileName));
}

/** The files that a file reaches through its imports, by way of which file each. */
function reachedFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, string> {
  const importers = new Map<string, string>();
  const pending = [start];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    for (const imported of imports.get(file) ?? []) {
      if (!importers.has(imported)) {
        importers.set(imported, file);
        pending.push(imported);
      }
    }
  }
  return importers;
}

function circleThrough(file: string, imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const importers = reachedFrom(file, imports);
  const circle: string[] = [];
  for (let at = importers.get(file); at !== undefined && at !== file; at = importers.get(at)) {
    circle.unshift(at);
  }
  return importers.has(file) ? [file, ...circle, file] : [];
}

test('no file imports itself through others', () => {
  const imports = new Map(FILES.map((file) => [file, importsOf(file)]));
  expect(FILES.map((file) => circleThrough(file, imports)).filter((circle) => circle.length > 0)).toEqual([]);
});

test('a circle is found, even one of types', () => {
  const imports = new Map([
    ['a.ts', ['b.ts', 'd.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['a.ts']],
    ['d.ts', []],
  ]);
  expect(circleThrough('a.ts', imports)).toEqual(['a.ts', 'b.ts', 'c.ts', 'a.ts']);
  expect(circleThrough('d.ts', imports)).toEqual([]);
});

test('what checks for missing dumps shares little with what makes them', () => {
  const imports = new Map(FILES.map((file) => [file, importsOf(file)]));
  const reached = (...starts: readonly string[]) =>
    new Set(starts.flatMap((start) => [...reachedFrom(start, imports).keys()]));
  const watched = reached('lambda/scanner.ts', 'lambda/compare-tags.ts', 'lambda/reschedule.ts');
  const shared = [...reached('lambda/freshness.ts')].filter((file) => watched.has(file));
  // The simulation has an oracle of its own for schedules.
  expect(shared.filter((file) => !file.startsWith('lambda/core/schedule/')).sort()).toEqual([
    'contract.ts',
    'lambda/core/execution-name.ts',
    'lambda/core/tags.ts',
    'lambda/stored-text.ts',
  ]);
});

const paths = z.union([z.string().transform((path) => [path]), z.array(z.string())]);

const { zones } = z
  .object({
    rules: z.object({
      'import-x/no-restricted-paths': z.tuple([
        z.literal('error'),
        z.object({ zones: z.array(z.object({ target: paths, from: paths })) }),
      ]),
    }),
  })
  .parse(JSON.parse(readFileSync('.eslintrc.json', 'utf8'))).rules['import-x/no-restricted-paths'][1];

/** The rules of the project, but for those that need types, which would take long. */
const ESLint = await loadESLint({ useFlatConfig: false });
const linter = new ESLint({
  overrideConfig: {
    extends: ['plugin:@typescript-eslint/disable-type-checked'],
    parserOptions: { project: null },
  },
});

async function brokenRules(file: string, code: string): Promise<readonly (string | null)[]> {
  const results = await linter.lintText(code, { filePath: file });
  return results.flatMap(({ messages }) => messages.map(({ ruleId }) => ruleId));
}

function firstFileOf(path: string): string {
  const [file] = globSync(path.endsWith('.ts') ? path : `${path}/**/*.ts`).sort();
  if (file === undefined) {
    throw new Error(`.eslintrc.json names ${path}, which does not exist.`);
  }
  return file;
}

describe('an import that crosses a boundary is an error', () => {
  const crossings = zones.flatMap(({ target, from }) =>
    target.flatMap((importer) => from.map((imported): [string, string] => [importer, imported])),
  );

  test.each(crossings)('%s may not import %s', async (target, from) => {
    const file = firstFileOf(target);
    const code = `import '${relative(dirname(file), firstFileOf(from)).replace(/^(?!\.)/, './')}';\n`;
    expect(await brokenRules(file, code)).toContain('import-x/no-restricted-paths');
  });

  test.each([
    ['bin/autodump.ts', '@aws-sdk/client-s3'],
    ['lib/workflow.ts', '@aws-sdk/client-sfn'],
    ['lambda/scanner.ts', 'aws-cdk-lib'],
    ['lambda/core/tags.ts', 'aws-cdk-lib'],
    ['lambda/core/tags.ts', '@aws-sdk/client-s3'],
    ['docker/main.ts', 'constructs'],
    ['local/main.ts', 'aws-cdk-lib/aws-s3'],
    ['simulation/main.ts', 'constructs'],
    ['bench/main.ts', 'aws-cdk-lib'],
    ['operator/undeploy/main.ts', 'aws-cdk-lib'],
    ['contract.ts', 'node:fs'],
    ['contract.ts', './docker/failure.ts'],
  ])('%s may not import %s', async (file, imported) => {
    expect(await brokenRules(file, `import '${imported}';\n`)).toContain('@typescript-eslint/no-restricted-imports');
  });

  test.each(ROOMS)('%s keeps the rules that hold everywhere', async (room) => {
    const code = "import path from 'node:path';\n\npath.join('a');\n";
    expect(await brokenRules(firstFileOf(room), code)).toContain('no-restricted-imports');
  });
});
