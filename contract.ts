/**
 * The contract between the deployed parts: `lib` writes it into the template, `lambda` and `docker` read it at run
 * time, and `operator` asks the deployed parts. This file imports nothing, so that no side can pull in another.
 */

/** Tag that puts a secret on a schedule: five-field cron or an alias such as `@daily`. */
export const SCHEDULE_TAG = 'autodump:start-schedule';

/** Tag with the IANA name of the time zone that the schedule is in. */
export const TIMEZONE_TAG = 'autodump:timezone';

/** Tag, with any value, that lets the restore job read the secret of the database to restore into. */
export const RESTORE_TARGET_TAG = 'autodump:restore-target';

/**
 * Tag with the schedule on which the newest dump of a secret (of each of its databases) is restored into a throwaway
 * server, and compared: the same syntax as that of {@link SCHEDULE_TAG}, in the same time zone.
 */
export const DRILL_TAG = 'autodump:drill-schedule';

/**
 * Fields of a secret's value that a tag may hold instead, for secrets whose value cannot be edited:
 * `autodump:databasename` and so on.
 */
export const TAGGED_FIELDS = ['databasename', 'endpoint', 'engine', 'bucketname', 'parallel'] as const;

/** Fields that say where a dump is kept, and how long; a tag may hold them as well. */
export const STORAGE_FIELDS = ['retentiondays', 'storageclass'] as const;

/** Fields with patterns of pg_dump: lists in a secret's value, and with blanks between them in a tag. */
export const FILTER_FIELDS = ['schemas', 'excludeschemas', 'excludetables', 'excludetabledata'] as const;

/** Tag with the value `reader`: dump the reader endpoint of the cluster that RDS names, and not its writer. */
export const PREFER_TAG = 'autodump:prefer';

/**
 * Tag with how much of a table may vanish from one dump to the next before it is reported: words of the form
 * {@link VANISHED_WORD} with blanks between them, such as `50 public.sessions=off`.
 */
export const VANISHED_TAG = 'autodump:vanished';

/** A share of rows in percent, or `off`; for all tables, or for one: `schema.table=share`. */
export const VANISHED_WORD = /^(?:(?<table>[^=]+)=)?(?<share>off|[1-9]\d?)$/;

/** Percent of its rows that a table may lose if nothing else is said. */
export const DEFAULT_VANISHED_PERCENT = 30;

/** What all of AutoDump's tags begin with. */
export const TAG_PREFIX = 'autodump:';

/**
 * What is compared of a name that people write, to find those that were surely meant for another one: no case, and no
 * blanks, dashes, underscores, dots or invisible characters.
 */
export function lettersOf(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{C}\p{Z}\p{Pd}\p{Pc}.]/gu, '');
}

/** Time zone of a secret without {@link TIMEZONE_TAG}. */
export const DEFAULT_TIMEZONE = 'UTC';

/** The one object in the Scanner's bucket: its memo of the runs that were started. */
export const MEMO_KEY = 'started-runs.json';

/** Minutes from one check for missing dumps to the next. */
export const FRESHNESS_PERIOD_MINUTES = 60;

/** Object in Freshness's bucket: what it remembers of each secret. */
export const FRESHNESS_KEY = 'freshness.json';

/** Object in Freshness's bucket: the {@link Status} of all secrets after the last check. */
export const STATUS_KEY = 'status.json';

/** Object in Freshness's bucket: the same as a page. */
export const STATUS_PAGE_KEY = 'status.html';

/**
 * Input of an execution of the state machine. Executions wait for up to a year under the definition they were started
 * with, so fields may be added, but never renamed, removed or redefined.
 */
export interface ExecutionInput {
  readonly secretArn: string;
  /** Hash of the tags that the execution was started for. */
  readonly tagsHash: string;
  /** Scheduled time, UTC, RFC 3339, whole seconds: `2026-11-22T08:00:00Z`. */
  readonly when: string;
  /** Absent: a dump. Dumps are started without it, so that their names are those of the executions that wait. */
  readonly purpose?: Purpose;
}

/** What a run does: it makes a dump, or restores the newest one into a throwaway server and compares. */
export type Purpose = 'dump' | 'drill';

/** The tag with the schedule of each purpose. */
export const SCHEDULE_TAGS: Readonly<Record<Purpose, string>> = { dump: SCHEDULE_TAG, drill: DRILL_TAG };

/** Input of an execution of the state machine that checks whether a newly tagged secret can be dumped. */
export interface CheckInput extends Omit<ExecutionInput, 'tagsHash'> {
  /**
   * Hash of all of AutoDump's tags, since others than those of the schedule may say where the database is. Executions
   * that were started by earlier versions have it as `tagsHash`; nothing reads it.
   */
  readonly allTagsHash: string;
  /** The two runs after the one at `when`. */
  readonly following: readonly string[];
  /** IANA time zone of the schedule. */
  readonly timezone: string;
}

/**
 * States of what a check looked at: `warning` and `ok` do not prevent a dump, and `unchecked` was skipped because of an
 * earlier problem. A line of its log has the name, the state and the details, with two blanks or more in between.
 */
export const FINDING_STATES = ['ok', 'warning', 'problem', 'unchecked'] as const;

export type FindingState = (typeof FINDING_STATES)[number];

/** Name, in a check's log, of whether the port of the database can be reached. */
export const PORT_CHECK = 'Port';

/** The line of a check's log that the SQL which grants missing privileges follows. */
export const GRANTS_HEADING = 'Run this SQL in the database to grant the missing privileges:';

/** In the first line of the log of a dump, what precedes the URL of its object, `s3://…`. */
export const DESTINATION_LABEL = ': dump to ';

/** What the last line of the log of a job that failed begins with. */
export const FAILURE_PREFIX = 'AutoDump failed: ';

/** Input of the Hash function. */
export interface HashInput extends ExecutionInput {
  /**
   * When the execution was started, ISO 8601. Executions that were started before this field existed do not pass it.
   */
  readonly started?: string;
}

/**
 * Result of the Hash function, at the scheduled time. Only `unchanged` lets the run continue. `moved`: the tags are the
 * same, but the rules of their time zone have changed since the execution was started, so that it is not due now.
 */
export interface Comparison {
  readonly outcome: 'unchanged' | 'moved' | 'changed' | 'removed' | 'gone';
  /** A whole sentence for whoever reads the execution. */
  readonly reason: string;
}

/** Input of the Reschedule function. The state machine passes its own ARN, as a reference to it would be circular. */
export interface RescheduleInput extends ExecutionInput {
  readonly stateMachineArn: string;
}

/** Result of the Reschedule function. */
export interface Rescheduled {
  readonly outcome: 'started' | 'waiting' | 'closed' | 'later' | 'superseded';
  /** A whole sentence for whoever reads the execution. */
  readonly reason: string;
  /** The next scheduled time, if any, in the format of {@link ExecutionInput.when}. */
  readonly next?: string;
  /** IANA time zone of the schedule, if there is a next time. Earlier versions do not return it. */
  readonly timezone?: string;
}

/**
 * Result of one branch of a run. The state machine's branches always succeed, since a failed branch would stop the
 * other; a failure is reported here.
 */
export interface BranchResult {
  readonly failed: boolean;
  /** Whole sentences that name the branch. */
  readonly message: string;
}

/** Stands for the reason of a container that ended without one. */
export const NO_FURTHER_REASON = 'no further reason';

/** Result of the branch that runs the job: the dump or the drill. The other fields are those of a job that failed. */
export interface DumpResult extends BranchResult {
  /** `none` if the program did not start, or was not the one that ended. */
  readonly exitStatus?: number | 'none';
  /** Why the job ended, and why its container did, as Batch says. */
  readonly reason?: string;
  readonly attempts?: number;
  /** Log stream of the last attempt, or `none`. */
  readonly logStream?: string;
}

/** Result of the branch that starts the next run. */
export interface ReschedulingResult extends BranchResult {
  /** Absent if it failed. */
  readonly result?: Rescheduled;
}

/**
 * The results of both branches of a run: the field `branches` of the output of an execution that succeeded, and, as
 * JSON, the cause of one that failed. Executions that started before this was so give sentences as their cause.
 */
export interface RunResult {
  /** Of the dump or, if that is the purpose of the run, of the drill. */
  readonly dump: DumpResult;
  readonly reschedule: ReschedulingResult;
}

/** Event with which an operator has the Scanner start a dump at once. */
export interface DumpRequest {
  /** Name or ARN of the secret. */
  readonly dumpNow: string;
}

/** A run that was started on request. */
export interface StartedNow {
  /** ARN of the execution. */
  readonly execution: string;
  /**
   * Its scheduled time, in the format of {@link ExecutionInput.when}: the time of the request. Part of the dump's key.
   */
  readonly when: string;
}

/** Nothing was started. Not an error of the function, which would set off the alarm for failed scans. */
export interface NotStarted {
  /** Why: a whole sentence. */
  readonly refused: string;
}

/** What the name of a dump's Batch job begins with; the rest is the name of its execution. */
export const DUMP_JOB_PREFIX = 'dump-';

/** Environment of the Scanner function. */
export interface ScannerEnvironment {
  readonly STATE_MACHINE_ARN: string;
  /** State machine of the checks. */
  readonly CHECK_STATE_MACHINE_ARN: string;
  /** The Scanner's own bucket, which holds {@link MEMO_KEY}. */
  readonly MEMO_BUCKET: string;
}

/** Environment of the Notify function. */
export interface NotifyEnvironment {
  /** Topic that its messages go to. */
  readonly TOPIC_ARN: string;
  /** Notify's own bucket. */
  readonly STATE_BUCKET: string;
  /** Log group of the dump jobs. */
  readonly DUMP_LOG_GROUP: string;
  /** State machine of the checks. */
  readonly CHECK_STATE_MACHINE_ARN: string;
  /** IDs of the security groups of jobs, comma-separated; only for messages. */
  readonly JOB_SECURITY_GROUPS: string;
  /** Period of the periodic scan, in minutes. */
  readonly SCAN_INTERVAL_MINUTES: string;
}

/** Environment of the Freshness function. */
export interface FreshnessEnvironment {
  readonly STATE_MACHINE_ARN: string;
  /** Freshness's own bucket, which holds {@link FRESHNESS_KEY}. */
  readonly STATE_BUCKET: string;
  /** Comma-separated names of the buckets that a dump may go to. */
  readonly DUMP_BUCKETS: string;
  /** Topic that its messages go to. */
  readonly TOPIC_ARN: string;
  /** Minutes after its scheduled time from which a dump that is not there is overdue. */
  readonly OVERDUE_AFTER_MINUTES: string;
  /** Period of the periodic scan, in minutes: a change of tags may take effect as late. */
  readonly SCAN_INTERVAL_MINUTES: string;
  /** Name of the Scanner, which starts a dump on request; only for messages. */
  readonly SCANNER_NAME: string;
  /** Name of the stack, on the status page and as the dimension {@link METRICS_DIMENSION} of metrics. */
  readonly STACK_NAME: string;
}

const TROUBLE_STATES = [
  'overdue',
  'failing',
  'rows vanished',
  'unchecked',
  'broken tag',
  'drill overdue',
  'drill failed',
] as const;

/**
 * In what state the dumps and drills of a secret are, the most urgent first. `docs/reference.md` defines each, and
 * which one holds if several do.
 */
export const STATES = [...TROUBLE_STATES, 'old dump', 'no dump', 'drills only', 'late', 'fresh'] as const;

export type State = (typeof STATES)[number];

/** The states in which something is wrong that does not pass by itself. */
export const TROUBLE: readonly State[] = TROUBLE_STATES;

/** A secret on a schedule, as the last check found it. Times are in the format of {@link ExecutionInput.when}. */
export interface SecretStatus {
  /** Name of the secret. */
  readonly secret: string;
  readonly secretArn: string;
  readonly state: State;
  /** Why it is in this state, as far as that is known. */
  readonly reason?: string;
  /** When it is dumped; absent if only its drills are on a schedule. */
  readonly schedule?: {
    /** Value of {@link SCHEDULE_TAG}. */
    readonly expression: string;
    readonly timezone: string;
    /** The expression in English; absent if the tags cannot be followed, or it was not checked. */
    readonly words?: string;
  };
  /** The next scheduled time; absent if the tags cannot be followed, or it was not checked. */
  readonly next?: string;
  /** Scheduled times whose dumps are missing, and whose time to be there has come: the first, the last and how many. */
  readonly missing?: { readonly first: string; readonly last: string; readonly count: number };
  /** ARN of the execution of the last missing dump or, in the state `drill overdue`, drill. */
  readonly execution?: string;
  /** When the buckets were last searched for its dumps; absent if they were not yet. */
  readonly searched?: string;
  /** The newest dump that was found then; of a secret with several databases, one of its newest run. */
  readonly newest?: {
    readonly bucket: string;
    readonly key: string;
    readonly scheduledFor: string;
    /** Of all databases of the run. */
    readonly bytes: number;
    /** How many databases of that run are dumped; absent if the secret is not known to have several. */
    readonly databases?: {
      readonly dumped: number;
      /** How many should be; absent if no manifest of the run can be read. */
      readonly expected?: number;
      /** Names of those that are missing, 50 at most. */
      readonly missing: readonly string[];
    };
  };
  /**
   * What the manifest of a dump says: of the newest one, or of an earlier one if the newest one's was not read yet. Of
   * several databases, what those of their run say together.
   */
  readonly manifest?: {
    /** Scheduled time of its dump. */
    readonly scheduledFor: string;
    /** The database that was dumped, as the secret named it. */
    readonly host?: string;
    /** Absent if there are several. */
    readonly database?: string;
    /** How many databases that is about; absent if the secret names a single one. */
    readonly databases?: number;
    /** Rows of all tables. */
    readonly rows?: number;
    /** `counted` in the dump itself, or `estimated` from the server's statistics. */
    readonly rowsAre?: 'counted' | 'estimated';
    /** From the start of `pg_dump` to the commit. */
    readonly seconds?: number;
    /** Why it could not be read. */
    readonly problem?: string;
  };
  /** The tables whose rows vanished, and are not back; absent if there is none. */
  readonly vanished?: {
    /** Those that lost most come first. */
    readonly tables: readonly {
      /** Qualified; `large objects` for all of these. */
      readonly table: string;
      /** Rows in the dump that still has them. */
      readonly before: number;
      /** Rows in the dump that was compared last; `gone` if it has no such table. */
      readonly after: number | 'gone';
      /** Scheduled time of the first dump that lacks them. */
      readonly since: string;
      /** The last dump that still has them. */
      readonly earlier: { readonly bucket: string; readonly key: string };
    }[];
    /** How many more there were. */
    readonly more: number;
  };
  /** Bytes of its last dumps, those of a run together, oldest first, 30 at most. */
  readonly sizes: readonly number[];
  /** When it is drilled; absent if its drills are not on a schedule. The fields are as those above. */
  readonly drills?: {
    /** Value of {@link DRILL_TAG}. */
    readonly expression: string;
    /** Statuses of earlier versions lack it: it is that of the schedule. */
    readonly timezone?: string;
    readonly words?: string;
    readonly next?: string;
    /** Drills that have left no evidence, although it should be there by now, and no later one has. */
    readonly missing?: { readonly first: string; readonly last: string; readonly count: number };
    /** The evidence could not be read. */
    readonly problem?: string;
  };
  /** The last drill whose evidence was read. */
  readonly drill?: {
    readonly verdict: 'equal' | 'different' | 'incomplete' | 'failed';
    readonly finishedAt: string;
    /** From the start to a usable database; absent if there was none. */
    readonly seconds?: number;
    /** Tables of the dump, and how many of them were equal after it was restored; absent if they were not compared. */
    readonly tables?: { readonly total: number; readonly equal: number };
  };
}

/**
 * What {@link STATUS_KEY} holds; `operator/status/status.schema.json` describes it. Fields may be added, but never
 * renamed, removed or given another meaning without a new version.
 */
export interface Status {
  readonly version: 1;
  /** When the check that found this began. */
  readonly generatedAt: string;
  /** Minutes until the next check. */
  readonly periodMinutes: number;
  readonly stack: string;
  readonly account: string;
  readonly region: string;
  readonly totals: {
    readonly secrets: number;
    /** Bytes of the newest dump of each secret, or of the dumps of its newest run. */
    readonly bytes: number;
    readonly states: Readonly<Record<State, number>>;
  };
  /** The most urgent first, then by name. */
  readonly secrets: readonly SecretStatus[];
}

/** Namespace of the metrics that Freshness writes to its log. */
export const METRICS_NAMESPACE = 'AutoDump';

/** The only dimension of these metrics: name of the stack. */
export const METRICS_DIMENSION = 'Stack';

/** Their names. All are about the whole stack, since each costs about 30 cents a month. */
export const METRICS = {
  /** Secrets in the state `overdue`. */
  overdue: 'Overdue',
  /** Secrets in the state `failing`. */
  failing: 'Failing',
  /** Secrets in the state `rows vanished`. */
  vanished: 'RowsVanished',
  /** Secrets in the state `drill overdue`. */
  drillOverdue: 'DrillOverdue',
  /** Secrets in the state `drill failed`. */
  drillFailed: 'DrillFailed',
  /** Seconds since the scheduled time of the newest dump, of the secret for which that is longest ago. */
  longest: 'LongestSinceDump',
  /** Bytes of the dumps that the check found, and the one before did not. */
  bytes: 'DumpedBytes',
  /** Seconds that dumps took, as far as the check read their manifests. */
  seconds: 'DumpSeconds',
} as const;

/** Environment of the dump program. */
export interface DumpEnvironment {
  /** The secret that describes the database. AWS services are called in the Region of this ARN. */
  readonly AUTODUMP_SECRET_ARN: string;
  /** Scheduled time, in the format of {@link ExecutionInput.when}; part of the dump's key. */
  readonly AUTODUMP_WHEN: string;
  /** ARN of the execution, recorded in the manifest. */
  readonly AUTODUMP_EXECUTION: string;
  /** Comma-separated names of the buckets that a dump may go to; the first is the default. */
  readonly AUTODUMP_BUCKETS: string;
  /** Days after which a dump in the first of these expires, at the latest. */
  readonly AUTODUMP_RETENTION_DAYS: string;
  /** Name of both the job definition and the job queue of restores, recorded in the manifest. */
  readonly AUTODUMP_RESTORE_JOB: string;
  /** Writable folder on local disk that holds the dump while it is being made. */
  readonly TMPDIR: string;
}

/** Environment of the same program for a restore; the dump and the database are arguments. */
export interface RestoreEnvironment extends Pick<DumpEnvironment, 'AUTODUMP_BUCKETS'> {
  /** Writable folder on local disk that holds the dump while it is being restored. */
  readonly TMPDIR: string;
}

/** Environment of the same program for a scheduled drill, which restores the newest dump of a secret. */
export interface DrillEnvironment {
  /** The secret whose dump it is; only its name is used. AWS services are called in the Region of this ARN. */
  readonly AUTODUMP_SECRET_ARN: string;
  /** Scheduled time of the drill, in the format of {@link ExecutionInput.when}; part of the key of its evidence. */
  readonly AUTODUMP_WHEN: string;
  /** ARN of the execution, recorded in the evidence. */
  readonly AUTODUMP_EXECUTION: string;
  /** Comma-separated names of the buckets that may hold the secret's dumps. */
  readonly AUTODUMP_BUCKETS: string;
  /** Writable folder on local disk that holds the dump and the throwaway server. */
  readonly TMPDIR: string;
}

/** Exit status of the dump program. Batch retries `tryAgain` and no other status. */
export const EXIT_STATUS = {
  done: 0,
  /** Invalid environment or arguments. */
  misuse: 64,
  /** The secret is invalid: its value, a tag or a filter. */
  badSecret: 65,
  /** The archive is incomplete, and was not committed; or a restored database is incomplete. */
  verificationFailed: 69,
  /** A bug in the program itself. */
  internal: 70,
  /** Worth a retry: database or S3 unreachable, lock timeout, storage pressure, stopped by the platform. */
  tryAgain: 75,
  /** Refused by the database or by AWS. */
  refused: 77,
} as const;

/**
 * The oldest client programs of each major version that may be used, oldest major first. Earlier ones let a crafted
 * archive run code in pg_restore: CVE-2026-116314. A major that is not listed is either newer than these or out of
 * support.
 */
export const MINIMUM_CLIENT_VERSIONS = ['14.25', '15.20', '16.16', '17.12', '18.7'] as const;

/** Host of the AWS console by partition, for links. Others than these have that of `aws`. */
export const CONSOLE_HOSTS = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
} as const;

/** Source of AutoDump's own events on the default event bus. */
export const EVENT_SOURCE = 'autodump';

/**
 * Folder of a secret's dumps: the secret's name, except that its segments `.` and `..`, which HTTP clients and file
 * systems resolve, are percent-encoded.
 */
export function dumpFolder(secretName: string): string {
  return secretName
    .split('/')
    .map((segment) => (segment === '.' || segment === '..' ? segment.replaceAll('.', '%2E') : segment))
    .join('/');
}

/**
 * Tag of the objects in the stack's bucket, by which its lifecycle rules choose: the number of days of one of
 * {@link RETENTION_CLASSES}, or one of the values below. Objects of earlier versions have none.
 */
export const RETENTION_TAG = 'autodump:retention';

/** Days after which a dump may expire earlier than the stack's others. */
export const RETENTION_CLASSES = [7, 14, 35, 90, 365] as const;

/** Value of {@link RETENTION_TAG}: expires as the stack's context value `retentionDays` says. */
export const STACK_RETENTION = 'stack';

/** Value of {@link RETENTION_TAG}: expires {@link KEPT_LONGER_DAYS} days later than that. */
export const KEPT = 'kept';

export const KEPT_LONGER_DAYS = 90;

/** The end of a dump's key, after the database's name: `-20261122T080000Z.dmp`. */
export function dumpKeyEnd(when: string): string {
  return `-${when.replace(/[-:]/g, '')}.dmp`;
}

/**
 * Control characters, Unicode's line separators, its format characters, which are invisible or, like those for writing
 * from right to left, make a line look like another one, and what else is shown as nothing, such as variation
 * selectors, the fillers of Hangul, and Braille without dots.
 */
export const CONTROL_CHARACTERS = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

/**
 * Writes a quoted identifier or text on one line without changing its meaning: if it contains control characters, as
 * `U&"…"` or `U&'…'` with their code points.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 *
 * @param quoted an identifier as returned by the server's `quote_ident`, so without quotes where none are needed
 */
export function quotedOnOneLine(quoted: string): string {
  const escaped = quoted.replaceAll('\\', '\\\\').replace(CONTROL_CHARACTERS, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\+${code.padStart(6, '0')}` : `\\${code.padStart(4, '0')}`;
  });
  return quoted.search(CONTROL_CHARACTERS) === -1 ? quoted : `U&${escaped}`;
}

/**
 * A qualified name on one line, as manifests and messages write it: a part that is no plain word of lower case is
 * quoted. Keywords are not.
 */
export function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  const parts = schema === '' ? [name] : [schema, name];
  return parts
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : quotedOnOneLine(`"${part.replaceAll('"', '""')}"`)))
    .join('.');
}
