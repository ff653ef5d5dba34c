import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { memoryChoices, VCPUS } from './jobs/fargate.ts';

/** The context is invalid. The message lists every problem: the value, what is allowed, and how to fix it. */
export class InvalidContext extends Error {
  override readonly name = 'InvalidContext';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const summary = problems.length === 1 ? 'The context has a problem' : `The context has ${problems.length} problems`;
    super(
      [
        `${summary}:`,
        ...problems.map((problem) => `  - ${problem}`),
        'Set values with -c key=value or in cdk.json.',
      ].join('\n'),
    );
    this.problems = problems;
  }
}

/** Values from the command line are strings; cdk.json may also hold numbers, booleans and lists. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map(String).join(',');
  }
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

/** How zod reports a value that is missing or not allowed. Further checks of that value are skipped. */
function allowed(what: string) {
  return {
    abort: true,
    error: ({ input }: { readonly input?: unknown }) =>
      typeof input === 'string' ? `is "${input}": allowed is ${what}` : `is missing: give ${what}`,
  };
}

interface Format {
  readonly pattern: RegExp;
  readonly name: string;
}

function one({ pattern, name }: Format) {
  return z.string(allowed(name)).regex(pattern, allowed(name));
}

function list({ pattern, name }: Format) {
  const params = allowed(`a comma-separated list of ${name}`);
  const items = (text: string): readonly string[] => text.split(',').map((item) => item.trim());
  return z
    .string(params)
    .refine((text) => items(text).every((item) => pattern.test(item)), params)
    .transform(items);
}

function distinctList(format: Format) {
  return list(format).superRefine((names, context) => {
    const repeated = new Set(names.filter((name, i) => names.indexOf(name) !== i));
    for (const name of repeated) {
      context.addIssue(`names ${name} more than once: name it once`);
    }
  });
}

function integer(min: number, max: number) {
  const params = allowed(`a whole number from ${min} to ${max}`);
  return z
    .string(params)
    .refine((text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max, params)
    .transform(Number);
}

function oneOf(choices: readonly number[]) {
  return z.enum(choices.map(String), allowed(choices.join(', '))).transform(Number);
}

const VPC: Format = { pattern: /^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, name: 'a VPC ID such as vpc-0a5fd51718cbc523a' };
const SUBNET: Format = {
  pattern: /^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/,
  name: 'subnet IDs such as subnet-08b42fcaa8530abaf',
};
const ZONE: Format = {
  pattern: /^(?<region>[a-z]{2}(-[a-z]+)+-\d+)(-[a-z]+-\d+)?[a-z]$/,
  name: 'availability zones such as us-west-2a',
};
const GROUP: Format = {
  pattern: /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/,
  name: 'security group IDs such as sg-0123456789abcdef0',
};
const KEY: Format = {
  pattern: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]+$/,
  name: 'the ARN of a KMS key, not of an alias',
};
const BUCKET: Format = {
  pattern: /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  name: 'bucket names: 3 to 63 lower-case letters, digits, hyphens and dots',
};

const privateSubnetIds = distinctList(SUBNET).refine(
  (subnets) => subnets.length > 1,
  'names one subnet: give at least two, comma-separated, in different zones',
);
const jobVcpu = oneOf(VCPUS).default(1);

/** Zones of one Region, as many as subnets; any number of them if the subnets are missing or invalid. */
function zonesOf(subnets: readonly string[] | undefined) {
  return list(ZONE).superRefine((zones, context) => {
    if (subnets !== undefined && subnets.length !== zones.length) {
      context.addIssue(
        `names ${zones.length} zone(s) for ${subnets.length} subnet(s): name the zone of each subnet, in their order`,
      );
    }
    const regions = new Set(zones.map((zone) => ZONE.pattern.exec(zone)?.groups?.region));
    if (regions.size > 1) {
      context.addIssue(`names zones of ${[...regions].join(' and ')}: a VPC and its subnets are in one Region`);
    }
  });
}

/** The schema of a context, in which some values limit others. */
function schemaFor(texts: Readonly<Record<string, string | undefined>>) {
  const memory = memoryChoices(jobVcpu.safeParse(texts.jobVcpu).data ?? 1);
  return z.object({
    /** Subnets of the VPC with a route to the databases and to ECR, S3, Secrets Manager and CloudWatch Logs. */
    privateSubnetIds,
    /** Availability zone of each subnet, in the order of the subnets. */
    availabilityZones: zonesOf(list(SUBNET).safeParse(texts.privateSubnetIds).data),
    /** VPC that the jobs run in. */
    vpcId: one(VPC),
    /** Name of the dump bucket. @default - generated by CloudFormation */
    bucketName: one(BUCKET).optional(),
    /** Further buckets that secrets may name. They must exist; the jobs may write to them. */
    extraBucketNames: distinctList(BUCKET).default([]),
    /** Whether to create an IAM user that may read the dumps. It gets no access key. */
    createReadOnlyUser: z
      .enum(['true', 'false'], allowed('true or false'))
      .transform((text) => text === 'true')
      .default(false),
    /** Days until a dump expires. */
    retentionDays: integer(1, 36_500).default(35),
    /** Key that the bucket is encrypted with. @default - S3-managed keys */
    kmsKeyArn: one(KEY).optional(),
    /** Security groups of the jobs. @default - a new group */
    securityGroupIds: distinctList(GROUP).default([]),
    /** How many dumps may run concurrently; further ones queue. */
    maxConcurrentDumps: integer(1, 1000).default(10),
    jobVcpu,
    jobMemoryMiB: oneOf(memory).default(memory[0] ?? 0),
    /** Disk that holds a dump while it is uploaded. One that does not fit is streamed. */
    ephemeralStorageGiB: integer(21, 200).default(100),
    /** Hours after which an attempt at a dump is stopped. */
    dumpTimeoutHours: integer(1, 168).default(12),
    cpuArchitecture: z.enum(['ARM64', 'X86_64'], allowed('ARM64, X86_64')).default('X86_64'),
    /** Period of the scan that finds changes which no event reported. */
    scanIntervalMinutes: integer(1, 1440).default(60),
    /**
     * Minutes after its scheduled time from which a dump that is not there is overdue. Less than the day after which
     * the shortest retention may have deleted it.
     */
    overdueAfterMinutes: integer(1, 1200).default(120),
  });
}

/** The configuration of a deployment: `cdk deploy -c key=value`, or `context` in cdk.json. */
export type DeployContext = Readonly<z.infer<ReturnType<typeof schemaFor>>>;

/**
 * Reads the context of a deployment.
 *
 * @param context all context of the app by key; keys of CDK itself, which contain a colon or start with `@`, are
 * ignored
 * @throws {InvalidContext} if there are problems, with all of them
 */
export function readContext(context: Readonly<Record<string, unknown>>): DeployContext {
  const texts = Object.fromEntries(Object.entries(context).map(([key, value]) => [key, textOf(value)]));
  const schema = schemaFor(texts);
  const { data, error } = schema.safeParse(texts);
  const problems = [
    ...misspelledKeys(Object.keys(context), Object.keys(schema.shape)),
    ...(error?.issues ?? []).map(({ path, message }) => `${String(path[0])} ${message}.`),
  ];
  if (data === undefined || problems.length > 0) {
    throw new InvalidContext(problems);
  }
  return data;
}

/** Unknown keys that resemble a known one. */
function misspelledKeys(keys: readonly string[], known: readonly string[]): readonly string[] {
  return keys
    .filter((key) => !known.includes(key) && !key.includes(':') && !key.startsWith('@'))
    .flatMap((key) => {
      const near = known.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 2);
      return near === undefined ? [] : [`${key} is not known: did you mean ${near}?`];
    });
}
