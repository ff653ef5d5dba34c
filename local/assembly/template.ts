import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';

/** The one account and Region of the local run, made up but well-formed. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-west-2';
const PARTITION = 'aws';
const URL_SUFFIX = 'amazonaws.com';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** For people: `Triggers/TagsChanged`. */
  readonly title: string;
  /** As the template has them; {@link Template.resolve} takes the intrinsic functions out. */
  readonly properties: unknown;
}

/** Names of a type of resource: its ARN without partition, and what `Ref` gives. */
interface Naming {
  /** Property that holds the name if the template chooses it. */
  readonly property: string;
  readonly arn: (name: string) => string;
  readonly ref: 'name' | 'arn';
}

/** `Ref` as in https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html */
const NAMINGS: Readonly<Record<string, Naming>> = {
  'AWS::Batch::JobDefinition': {
    property: 'JobDefinitionName',
    arn: (name) => `batch:${REGION}:${ACCOUNT}:job-definition/${name}:1`,
    ref: 'arn',
  },
  'AWS::Batch::JobQueue': {
    property: 'JobQueueName',
    arn: (name) => `batch:${REGION}:${ACCOUNT}:job-queue/${name}`,
    ref: 'arn',
  },
  'AWS::Events::Rule': { property: 'Name', arn: (name) => `events:${REGION}:${ACCOUNT}:rule/${name}`, ref: 'name' },
  'AWS::IAM::ManagedPolicy': {
    property: 'ManagedPolicyName',
    arn: (name) => `iam::${ACCOUNT}:policy/${name}`,
    ref: 'arn',
  },
  'AWS::IAM::Role': { property: 'RoleName', arn: (name) => `iam::${ACCOUNT}:role/${name}`, ref: 'name' },
  'AWS::IAM::User': { property: 'UserName', arn: (name) => `iam::${ACCOUNT}:user/${name}`, ref: 'name' },
  'AWS::Lambda::Function': {
    property: 'FunctionName',
    arn: (name) => `lambda:${REGION}:${ACCOUNT}:function:${name}`,
    ref: 'name',
  },
  'AWS::Logs::LogGroup': {
    property: 'LogGroupName',
    arn: (name) => `logs:${REGION}:${ACCOUNT}:log-group:${name}:*`,
    ref: 'name',
  },
  'AWS::S3::Bucket': { property: 'BucketName', arn: (name) => `s3:::${name}`, ref: 'name' },
  'AWS::SNS::Topic': { property: 'TopicName', arn: (name) => `sns:${REGION}:${ACCOUNT}:${name}`, ref: 'arn' },
  'AWS::SQS::Queue': { property: 'QueueName', arn: (name) => `sqs:${REGION}:${ACCOUNT}:${name}`, ref: 'name' },
  'AWS::StepFunctions::StateMachine': {
    property: 'StateMachineName',
    arn: (name) => `states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
    ref: 'arn',
  },
};

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

/** What `cdk synth` wrote for one stack: the template with its intrinsic functions resolved, and the assets. */
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
      throw new Error(`${cdkOut} holds ${stacks.length} stacks, and the local run takes one.`);
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

  /** The resource's properties without intrinsic functions, in the form that the schema wants. */
  properties<T>(resource: Resource, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.resolve(resource.properties));
    if (parsed.success) {
      return parsed.data;
    }
    throw new Error(
      `The local run can't make use of ${resource.title} (${resource.type}): ${z.prettifyError(parsed.error)}`,
    );
  }

  arnOf(resource: Resource): string {
    return `arn:${PARTITION}:${naming(resource).arn(this.nameOf(resource))}`;
  }

  /** The name that the template gives, or else one made from the resource's place in the stack. */
  nameOf(resource: Resource): string {
    const properties = z.record(z.string(), z.unknown()).parse(resource.properties);
    const chosen = z.string().safeParse(this.resolve(properties[naming(resource).property]));
    if (chosen.success) {
      return chosen.data;
    }
    const madeUp = `${this.stackName}-${resource.title.replaceAll('/', '-')}`;
    return resource.type === 'AWS::S3::Bucket' ? madeUp.toLowerCase() : madeUp;
  }

  /** Folder of a zipped asset, by the key of its object. */
  fileAsset(objectKey: string): string {
    const id = basename(objectKey, extname(objectKey));
    return this.#assetFolder(this.#assets.files[id]?.source.path, objectKey);
  }

  /** Build context of an image, by the image's URI. */
  imageAsset(uri: string): string {
    const tag = uri.slice(uri.lastIndexOf(':') + 1);
    return this.#assetFolder(this.#assets.dockerImages[tag]?.source.directory, uri);
  }

  /** @throws {Error} that names an intrinsic function which is not known here */
  resolve(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((item) => this.resolve(item));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined]] = entries;
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) {
      return this.#intrinsic(name, argument);
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, this.resolve(inner)]));
  }

  #intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(z.string().parse(argument));
      case 'Fn::GetAtt': {
        const [logicalId, attribute] = z
          .union([z.array(z.string()), z.string().transform((text) => text.split('.', 2))])
          .parse(argument);
        return this.#attribute(logicalId ?? '', attribute ?? '');
      }
      case 'Fn::Join': {
        const [separator, parts] = z.tuple([z.string(), z.array(z.string())]).parse(this.resolve(argument));
        return parts.join(separator);
      }
      case 'Fn::Split': {
        const [separator, text] = z.tuple([z.string(), z.string()]).parse(this.resolve(argument));
        return text.split(separator);
      }
      case 'Fn::Select': {
        const [index, list] = z.tuple([z.coerce.number(), z.array(z.unknown())]).parse(this.resolve(argument));
        return list[index];
      }
      case 'Fn::Sub':
        return this.#sub(argument);
      default:
        throw new Error(`The template uses ${name}, which the local run does not know.`);
    }
  }

  #sub(argument: unknown): string {
    const [text, values] = z
      .union([
        z.string().transform((only) => [only, {}] as const),
        z.tuple([z.string(), z.record(z.string(), z.unknown())]),
      ])
      .parse(argument);
    const own: Readonly<Record<string, unknown>> = values;
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') {
        return `\${${name}}`;
      }
      const [logicalId = '', attribute] = name.split(/\.(.*)/s, 2);
      if (name in own) {
        return z.string().parse(this.resolve(own[name]));
      }
      return attribute === undefined ? this.#ref(logicalId) : this.#attribute(logicalId, attribute);
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
        return naming(resource).ref === 'arn' ? this.arnOf(resource) : this.nameOf(resource);
      }
    }
  }

  /** Attributes are told by their ending: `Arn`, `JobQueueArn`; `Name`, `QueueName`. */
  #attribute(logicalId: string, attribute: string): string {
    const resource = this.#find(logicalId);
    if (attribute.endsWith('Arn')) {
      return this.arnOf(resource);
    }
    if (attribute.endsWith('Name')) {
      return this.nameOf(resource);
    }
    throw new Error(`The template uses the attribute ${attribute} of ${logicalId}, which the local run does not know.`);
  }

  #find(logicalId: string): Resource {
    const resource = this.#resources.get(logicalId);
    if (resource === undefined) {
      throw new Error(`The template refers to ${logicalId}, which it does not define.`);
    }
    return resource;
  }

  #assetFolder(folder: string | undefined, of: string): string {
    if (folder === undefined) {
      throw new Error(`${of} is none of the assets that cdk synth wrote.`);
    }
    return join(this.#folder, folder);
  }
}

function naming({ type, logicalId }: Resource): Naming {
  const known = NAMINGS[type];
  if (known === undefined) {
    throw new Error(
      `The template refers to ${logicalId}, and the local run has no names for resources of type ${type}.`,
    );
  }
  return known;
}

function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
