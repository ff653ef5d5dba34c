import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Resources of a template by logical ID, in the format of CloudFormation. */
export type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;

/** Writes the output of `cdk synth` for a stack named `Mini`. An asset maps the names of its files to their text. */
export function writeCdkOut(
  folder: string,
  resources: Resources,
  assets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): void {
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  for (const [asset, files] of Object.entries(assets)) {
    for (const [file, text] of Object.entries(files)) {
      write(join(`asset.${asset}`, file), text);
    }
  }
  const named = Object.keys(assets);
  write(
    'manifest.json',
    JSON.stringify({
      artifacts: {
        Mini: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Mini.template.json' } },
        'Mini.assets': { type: 'cdk:asset-manifest' },
      },
    }),
  );
  write(
    'Mini.assets.json',
    JSON.stringify({
      files: Object.fromEntries(named.map((asset) => [asset, { source: { path: `asset.${asset}` } }])),
      dockerImages: Object.fromEntries(named.map((asset) => [asset, { source: { directory: `asset.${asset}` } }])),
    }),
  );
  write('Mini.template.json', JSON.stringify({ Resources: resources }));
}
