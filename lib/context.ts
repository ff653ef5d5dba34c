import { distance } from 'fastest-levenshtein';
import { memoryChoices, VCPUS } from './fargate.ts';

/** What a deployment is configured by: `cdk deploy -c key=value`, or `context` in cdk.json. */
export interface DeployContext {
  /** VPC that the jobs run in. */
  readonly vpcId: string;
  /** Subnets of the VPC with a route to the database and to ECR, S3, Secrets Manager and CloudWatch Logs. */
  readonly privateSubnetIds: readonly string[];
  /** Availability zone of each subnet, in the order of the subnets. */
  readonly availabilityZones: readonly string[];
  /** Name of the dump bucket. @default - CloudFormation makes one up */
  readonly bucketName?: string;
  /** Further buckets that secrets may name. They are not made, only written to. */
  readonly extraBucketNames: readonly string[];
  /** Whether to make an IAM user that may read the dumps. It gets no access key. */
  readonly createReadOnlyUser: boolean;
  /** Days until a dump expires. */
  readonly retentionDays: number;
  /** Key that the bucket is encrypted with. @default - the keys that S3 manages */
  readonly kmsKeyArn?: string;
  /** Security groups of the jobs. @default - one group, made for them */
  readonly securityGroupIds: readonly string[];
  /** Dumps that run at once; further ones queue. */
  readonly maxConcurrentDumps: number;
  readonly jobVcpu: number;
  readonly jobMemoryMiB: number;
  /** Disk that a dump is written to while it goes to S3. One that does not fit is streamed. */
  readonly ephemeralStorageGiB: number;
  /** Hours after which an attempt at a dump is stopped. */
  readonly dumpTimeoutHours: number;
  readonly cpuArchitecture: 'ARM64' | 'X86_64';
  /** Period of the scan that finds what no event told of. */
  readonly scanIntervalMinutes: number;
}

/** The context cannot be deployed. The message lists every problem: what was given, what is allowed, how to mend it. */
export class InvalidContext extends Error {
  override readonly name = 'InvalidContext';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const what = problems.length === 1 ? 'The context has a problem' : `The context has ${problems.length} problems`;
    super(
      [`${what}:`, ...problems.map((problem) => `  - ${problem}`), 'Set values with -c key=value or in cdk.json.'].join(
        '\n',
      ),
    );
    this.problems = problems;
  }
}

/** Reads one value; `undefined` says that the text is not allowed. */
interface Rule<T> {
  readonly allowed: string;
  readonly read: (text: string) => T | undefined;
}

const REQUIRED = ['vpcId', 'privateSubnetIds', 'availabilityZones'] as const;
const OPTIONAL = [
  'bucketName',
  'extraBucketNames',
  'createReadOnlyUser',
  'retentionDays',
  'kmsKeyArn',
  'securityGroupIds',
  'maxConcurrentDumps',
  'jobVcpu',
  'jobMemoryMiB',
  'ephemeralStorageGiB',
  'dumpTimeoutHours',
  'cpuArchitecture',
  'scanIntervalMinutes',
] as const satisfies readonly (keyof DeployContext)[];
const KEYS: readonly string[] = [...REQUIRED, ...OPTIONAL];

const VPC = pattern(/^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, 'a VPC ID such as vpc-0a5fd51718cbc523a');
const SUBNET = pattern(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, 'subnet IDs such as subnet-08b42fcaa8530abaf');
const ZONE = pattern(/^[a-z]{2}(-[a-z]+)+-\d+(-[a-z]+-\d+)?[a-z]$/, 'availability zones such as us-west-2a');
const GROUP = pattern(/^sg-([0-9a-f]{8}|[0-9a-f]{17})$/, 'security group IDs such as sg-0123456789abcdef0');
const KEY = pattern(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]+$/,
  'the ARN of a KMS key, not of an alias',
);
const BUCKET = pattern(
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  'bucket names: 3 to 63 lower-case letters, digits, hyphens and dots',
);
const FLAG: Rule<boolean> = {
  allowed: 'true or false',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/**
 * Reads the context of a deployment.
 *
 * @param given all context of the app by key; keys of CDK itself, which contain a colon or start with `@`, are left alone
 * @throws {InvalidContext} with every problem there is
 */
export function readContext(given: Readonly<Record<string, unknown>>): DeployContext {
  const problems = misspelt(given);
  const text = (key: string) => textOf(given[key]);

  function optional<T>(key: string, rule: Rule<T>): T | undefined {
    const value = text(key);
    const read = value === undefined ? undefined : rule.read(value);
    if (value !== undefined && read === undefined) {
      problems.push(`${key} is "${value}": allowed is ${rule.allowed}.`);
    }
    return read;
  }
  function required<T>(key: (typeof REQUIRED)[number], rule: Rule<T>, otherwise: T): T {
    if (text(key) === undefined) {
      problems.push(`${key} is missing: give ${rule.allowed}.`);
    }
    return optional(key, rule) ?? otherwise;
  }

  const subnets = required('privateSubnetIds', list(SUBNET), []);
  const zones = required('availabilityZones', list(ZONE), []);
  const jobVcpu = optional('jobVcpu', oneOf(VCPUS)) ?? 1;
  const context: DeployContext = {
    vpcId: required('vpcId', VPC, ''),
    privateSubnetIds: subnets,
    availabilityZones: zones,
    bucketName: optional('bucketName', BUCKET),
    extraBucketNames: optional('extraBucketNames', list(BUCKET)) ?? [],
    createReadOnlyUser: optional('createReadOnlyUser', FLAG) ?? false,
    retentionDays: optional('retentionDays', integer(1, 36_500)) ?? 35,
    kmsKeyArn: optional('kmsKeyArn', KEY),
    securityGroupIds: optional('securityGroupIds', list(GROUP)) ?? [],
    maxConcurrentDumps: optional('maxConcurrentDumps', integer(1, 1000)) ?? 10,
    jobVcpu,
    jobMemoryMiB: optional('jobMemoryMiB', oneOf(memoryChoices(jobVcpu))) ?? memoryChoices(jobVcpu)[0] ?? 0,
    ephemeralStorageGiB: optional('ephemeralStorageGiB', integer(21, 200)) ?? 100,
    dumpTimeoutHours: optional('dumpTimeoutHours', integer(1, 168)) ?? 12,
    cpuArchitecture: optional('cpuArchitecture', oneOf(['ARM64', 'X86_64'] as const)) ?? 'X86_64',
    scanIntervalMinutes: optional('scanIntervalMinutes', integer(1, 1440)) ?? 60,
  };
  problems.push(
    ...subnetProblems(subnets, zones),
    ...regionProblems(zones),
    ...repetitions('privateSubnetIds', subnets),
    ...repetitions('securityGroupIds', context.securityGroupIds),
    ...repetitions('extraBucketNames', context.extraBucketNames),
  );
  if (problems.length > 0) {
    throw new InvalidContext(problems);
  }
  return context;
}

function subnetProblems(subnets: readonly string[], zones: readonly string[]): readonly string[] {
  const problems: string[] = [];
  if (subnets.length === 1) {
    problems.push('privateSubnetIds names one subnet: give at least two, comma-separated, in different zones.');
  }
  if (subnets.length > 0 && zones.length > 0 && subnets.length !== zones.length) {
    problems.push(
      `availabilityZones names ${zones.length} zone(s) for ${subnets.length} subnet(s): name the zone of each subnet, in their order.`,
    );
  }
  return problems;
}

function regionProblems(zones: readonly string[]): readonly string[] {
  const regions = new Set(zones.map((zone) => /^[a-z]{2}(-[a-z]+)+-\d+/.exec(zone)?.[0]));
  return regions.size > 1
    ? [`availabilityZones names zones of ${[...regions].join(' and ')}: a VPC and its subnets are in one Region.`]
    : [];
}

function repetitions(key: keyof DeployContext, names: readonly string[]): readonly string[] {
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => `${key} names ${name} more than once: name it once.`);
}

/** Keys that nobody reads, but that look like one that somebody meant. */
function misspelt(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(given)
    .filter((key) => !KEYS.includes(key) && !key.includes(':') && !key.startsWith('@'))
    .flatMap((key) => {
      const near = KEYS.find((known) => distance(known.toLowerCase(), key.toLowerCase()) <= 2);
      return near === undefined ? [] : [`${key} is not known: did you mean ${near}?`];
    });
}

/** Values from the command line are strings; cdk.json may hold numbers, booleans and lists as well. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map(String).join(',');
  }
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

function pattern(regex: RegExp, allowed: string): Rule<string> {
  return { allowed, read: (text) => (regex.test(text) ? text : undefined) };
}

function list<T>(item: Rule<T>): Rule<readonly T[]> {
  return {
    allowed: `a comma-separated list of ${item.allowed}`,
    read: (text) => {
      const items = text.split(',').map((part) => item.read(part.trim()));
      return items.every((read) => read !== undefined) ? items : undefined;
    },
  };
}

function integer(min: number, max: number): Rule<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    read: (text) => (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  };
}

function oneOf<const T extends string | number>(choices: readonly T[]): Rule<T> {
  return { allowed: choices.join(', '), read: (text) => choices.find((choice) => String(choice) === text) };
}
