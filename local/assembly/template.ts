import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { ACCOUNT, PARTITION, REGION, URL_SUFFIX } from './account.ts';
import { evaluate } from './intrinsic-functions.ts';
import { namingOf } from './resource-names.ts';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** Human-readable path in the stack: `Triggers/TagsChanged`. */
  readonly title: string;
  /** As in the template; {@link Template.resolve} evaluates the intrinsic functions. */
  readonly properties: unknown;
}

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.object({ templateFile: z.string() }).partial().optional() }),
  ),
});

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Metadata: z.object({ 'aws:cdk:path': z.string().optional() }).default({}),
    }),
  ),
});

const assetsSchema = z.object({
  files: z.record(z.string(), z.object({ source: z.object({ path: z.string().optional() }) })).default({}),
  dockerImages: z.record(z.string(), z.object({ source: z.object({ directory: z.string().optional() }) })).default({}),
});

/** The output of `cdk synth` for one stack: the template, its intrinsic functions resolved, and the assets. */
export class Template {
  readonly stackName: string;
  readonly stackId: string;
  readonly #folder: string;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #assets: z.infer<typeof assetsSchema>;

  /** @throws {Error} if the folder does not hold exactly one stack */
  constructor(cdkOut: string) {
    const { artifacts } = read(join(cdkOut, 'manifest.json'), manifestSchema);
    const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
    const [stack] = stacks;
    if (stack === undefined || stacks.length > 1) {
      throw new Error(`${cdkOut} holds ${stacks.length} stacks; the local run needs exactly one.`);
    }
    const [name, { properties }] = stack;
    this.stackName = name;
    this.stackId = `arn:${PARTITION}:cloudformation:${REGION}:${ACCOUNT}:stack/${name}/00000000-0000-4000-8000-000000000000`;
    this.#folder = cdkOut;
    this.#assets = read(join(cdkOut, `${name}.assets.json`), assetsSchema);
    const { Resources } = read(join(cdkOut, properties?.templateFile ?? `${name}.template.json`), templateSchema);
    this.#resources = new Map(
      Object.entries(Resources).map(([logicalId, { Type, Properties, Metadata }]) => {
        const title = (Metadata['aws:cdk:path'] ?? logicalId).replace(`${name}/`, '').replace(/\/Resource$/, '');
        return [logicalId, { logicalId, type: Type, title, properties: Properties }];
      }),
    );
  }

  ofType(type: string): readonly Resource[] {
    return [...this.#resources.values()].filter((resource) => resource.type === type);
  }

  /**
   * The resource's properties, resolved and parsed.
   *
   * @throws {Error} naming the resource, if its properties do not match the schema
   */
  properties<T>(resource: Resource, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.resolve(resource.properties));
    if (parsed.success) {
      return parsed.data;
    }
    throw new Error(
      `The local run does not support these properties of ${resource.title} (${resource.type}): ${z.prettifyError(parsed.error)}`,
    );
  }

  arnOf(resource: Resource): string {
    return `arn:${PARTITION}:${namingOf(resource.type, resource.logicalId).arn(this.nameOf(resource))}`;
  }

  /** The name set in the template, or else one derived from the resource's path in the stack. */
  nameOf({ type, logicalId, title, properties }: Resource): string {
    const { property } = namingOf(type, logicalId);
    const name = z.string().safeParse(this.resolve(z.record(z.string(), z.unknown()).parse(properties)[property]));
    if (name.success) {
      return name.data;
    }
    const derived = `${this.stackName}-${title.replaceAll('/', '-')}`;
    return type === 'AWS::S3::Bucket' ? derived.toLowerCase() : derived;
  }

  /** Folder of a zipped asset, by its object key. */
  fileAsset(objectKey: string): string {
    const id = basename(objectKey, extname(objectKey));
    return this.#assetFolder(this.#assets.files[id]?.source.path, objectKey);
  }

  /** Build context of an image, by its URI. */
  imageAsset(uri: string): string {
    const tag = uri.slice(uri.lastIndexOf(':') + 1);
    return this.#assetFolder(this.#assets.dockerImages[tag]?.source.directory, uri);
  }

  /** @throws {Error} naming an intrinsic function that is not supported */
  resolve(value: unknown): unknown {
    return evaluate(value, {
      ref: (name) => this.#ref(name),
      attribute: (logicalId, attribute) => this.#attribute(logicalId, attribute),
    });
  }

  #ref(name: string): string {
    switch (name) {
      case 'AWS::AccountId':
        return ACCOUNT;
      case 'AWS::Region':
        return REGION;
      case 'AWS::Partition':
        return PARTITION;
      case 'AWS::URLSuffix':
        return URL_SUFFIX;
      case 'AWS::StackName':
        return this.stackName;
      case 'AWS::StackId':
        return this.stackId;
      default: {
        const resource = this.#find(name);
        return namingOf(resource.type, name).ref === 'arn' ? this.arnOf(resource) : this.nameOf(resource);
      }
    }
  }

  /** Attributes are recognized by their suffix: `Arn`, `JobQueueArn`; `Name`, `QueueName`; `Id`, `GroupId`. */
  #attribute(logicalId: string, attribute: string): string {
    const resource = this.#find(logicalId);
    if (attribute.endsWith('Arn')) {
      return this.arnOf(resource);
    }
    if (attribute.endsWith('Name') || attribute.endsWith('Id')) {
      return this.nameOf(resource);
    }
    throw new Error(
      `The template uses the attribute ${attribute} of ${logicalId}, which the local run does not support.`,
    );
  }

  #find(logicalId: string): Resource {
    const resource = this.#resources.get(logicalId);
    if (resource === undefined) {
      throw new Error(`The template refers to ${logicalId}, but does not define it.`);
    }
    return resource;
  }

  #assetFolder(folder: string | undefined, asset: string): string {
    if (folder === undefined) {
      throw new Error(`${asset} is not an asset in the output of cdk synth.`);
    }
    return join(this.#folder, folder);
  }
}

function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
