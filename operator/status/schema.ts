import { z } from 'zod';
import { type SecretStatus, STATES, type Status } from '../../contract.ts';

const count = z.int().nonnegative();
const countedLater = count.default(0).describe('0 if it is missing: earlier versions did not count them');
const time = z.iso.datetime({ precision: 0 }).describe('UTC, whole seconds');

const secretSchema: z.ZodType<SecretStatus> = z.looseObject({
  secret: z.string().describe('name of the secret'),
  secretArn: z.string(),
  state: z.enum(STATES),
  reason: z.string().optional().describe('why it is in this state, as far as that is known'),
  schedule: z
    .looseObject({
      expression: z.string().describe('value of the tag autodump:start-schedule'),
      timezone: z.string(),
      words: z
        .string()
        .optional()
        .describe('the expression in English; absent if the tags cannot be followed, or it was not checked'),
    })
    .optional()
    .describe('when it is dumped; absent if only its drills are on a schedule'),
  next: time
    .optional()
    .describe('the next scheduled time; absent if the tags cannot be followed, or it was not checked'),
  missing: z
    .looseObject({ first: time, last: time, count })
    .optional()
    .describe('scheduled times whose dumps are missing, and whose time to be there has come'),
  execution: z.string().optional().describe('ARN of the execution of the last missing dump'),
  searched: time.optional().describe('when the buckets were last searched for its dumps; absent if they were not yet'),
  newest: z
    .looseObject({
      bucket: z.string(),
      key: z.string(),
      scheduledFor: time,
      bytes: count.describe('of all databases of its run'),
      databases: z
        .looseObject({
          dumped: count,
          expected: count.optional().describe('absent if no manifest of the run can be read'),
          missing: z.array(z.string()).describe('names of those that are not dumped, 50 at most'),
        })
        .optional()
        .describe('of its run; absent if the secret is not known to have several databases'),
    })
    .optional()
    .describe('the newest dump that was found then; of several databases, one of the newest run'),
  manifest: z
    .looseObject({
      scheduledFor: time.describe('of its dump'),
      host: z.string().optional().describe('of the database that was dumped'),
      database: z.string().optional().describe('absent if there are several'),
      databases: count.optional().describe('how many; absent if the secret names a single one'),
      rows: count.optional().describe('of all tables'),
      rowsAre: z.enum(['counted', 'estimated']).optional(),
      seconds: z.number().nonnegative().optional().describe('from the start of pg_dump to the commit'),
      problem: z.string().optional().describe('why it could not be read'),
    })
    .optional()
    .describe("what a dump's manifest says: that of the newest, or of an earlier one if that was not read yet"),
  vanished: z
    .looseObject({
      tables: z
        .array(
          z.looseObject({
            table: z.string().describe('qualified; "large objects" for all of these'),
            before: count.describe('rows in the dump that still has them'),
            after: z.union([count, z.literal('gone')]).describe('rows in the dump that was compared last'),
            since: time.describe('scheduled time of the first dump that lacks them'),
            earlier: z
              .looseObject({ bucket: z.string(), key: z.string() })
              .describe('the last dump that still has them'),
          }),
        )
        .describe('those that lost most come first'),
      more: count.describe('how many more there were'),
    })
    .optional()
    .describe('the tables whose rows vanished, and are not back; absent if there is none'),
  sizes: z.array(count).describe('bytes of its last dumps, those of a run together, oldest first, 30 at most'),
  drills: z
    .looseObject({
      expression: z.string().describe('value of the tag autodump:drill-schedule'),
      timezone: z.string().optional().describe('earlier versions left it out: it is that of the schedule'),
      words: z.string().optional(),
      next: time.optional(),
      missing: z
        .looseObject({ first: time, last: time, count })
        .optional()
        .describe('drills that have left no evidence, although it should be there by now, and no later one has'),
      problem: z.string().optional().describe('why the evidence could not be read'),
    })
    .optional()
    .describe('when it is drilled; absent if its drills are not on a schedule'),
  drill: z
    .looseObject({
      verdict: z.enum(['equal', 'different', 'incomplete', 'failed']),
      finishedAt: time,
      seconds: z.number().nonnegative().optional().describe('from the start to a usable database'),
      tables: z.looseObject({ total: count, equal: count }).optional().describe('of the dump; absent if not compared'),
    })
    .optional()
    .describe('the last drill whose evidence was read'),
});

/** The object `status.json`; `status.schema.json` is generated from this. Fields that it does not know are kept. */
export const statusSchema: z.ZodType<Status> = z
  .looseObject({
    version: z.literal(1),
    generatedAt: time.describe('when the check that found this began'),
    periodMinutes: count.describe('until the next check'),
    stack: z.string(),
    account: z.string(),
    region: z.string(),
    totals: z.looseObject({
      secrets: count,
      bytes: count.describe('of the newest dump of each secret, or the dumps of its newest run'),
      states: z.looseObject({
        overdue: count,
        failing: count,
        'rows vanished': countedLater,
        unchecked: count,
        'broken tag': count,
        'drill overdue': countedLater,
        'drill failed': countedLater,
        'old dump': count,
        'no dump': count,
        'drills only': countedLater,
        late: count,
        fresh: count,
      }),
    }),
    secrets: z.array(secretSchema).describe('the most urgent first, then by name'),
  })
  .describe('Status of all secrets on a schedule, by AutoDump. Fields may be added.');
