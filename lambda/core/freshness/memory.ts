import * as z from 'zod/mini';

const storedDump = z.readonly(z.object({ bucket: z.string(), key: z.string() }));

const manifestSchema = z.readonly(
  z.object({
    /** Scheduled time of the dump that it belongs to. */
    scheduledFor: z.string(),
    /** The database that was dumped. Manifests that were read by earlier versions lack it. */
    host: z.optional(z.string()),
    /** Absent if it is of several. */
    database: z.optional(z.string()),
    /** How many dumps of its run it is of together; absent if the secret names a single database. */
    databases: z.optional(z.number()),
    rows: z.optional(z.number()),
    rowsAre: z.optional(z.enum(['counted', 'estimated'])),
    seconds: z.optional(z.number()),
    /** Why it could not be read. */
    problem: z.optional(z.string()),
  }),
);

const evidenceSchema = z.readonly(
  z.object({
    /** Scheduled time of its drill. */
    scheduledFor: z.string(),
    /** How many dumps it is of together; absent if it is of a single one. */
    databases: z.optional(z.number()),
    verdict: z.optional(z.enum(['equal', 'different', 'incomplete', 'failed'])),
    reason: z.optional(z.string()),
    finishedAt: z.optional(z.string()),
    /** From the start to a usable database. */
    seconds: z.optional(z.number()),
    tables: z.optional(z.readonly(z.object({ total: z.number(), equal: z.number() }))),
    /** Why it could not be read. */
    problem: z.optional(z.string()),
  }),
);

const vanishedSchema = z.readonly(
  z.object({
    /** Those that lost most come first. */
    tables: z.readonly(
      z.array(
        z.readonly(
          z.object({
            table: z.string(),
            before: z.number(),
            after: z.union([z.number(), z.literal('gone')]),
            /** Scheduled time of the first dump that lacks the rows. */
            since: z.string(),
            /** The last dump that still has them. */
            earlier: storedDump,
          }),
        ),
      ),
    ),
    /** How many more there were, of which nothing else is remembered. */
    more: z.number(),
  }),
);

const arrearsSchema = z.readonly(
  z.object({
    /** The scheduled times that are missing: the first, the last and how many. */
    first: z.string(),
    last: z.string(),
    count: z.number(),
    /** `late`: the last one's run is still going. `overdue`: none is. */
    kind: z.enum(['late', 'overdue']),
    /** When this was last reported. */
    reported: z.iso.datetime(),
  }),
);

const incompleteSchema = z.readonly(
  z.object({
    /** Databases whose dumps are there. */
    dumped: z.number(),
    /** Databases that the run was to dump; absent if no manifest of it can be read. */
    expected: z.optional(z.number()),
    /** Names of those that are missing, 50 at most. */
    missing: z.readonly(z.array(z.string())),
  }),
);

/** What is remembered of the dumps of a secret, and of its drills alike: what they leave in S3, and what is missing. */
const ofRuns = {
  /** What is remembered is about these tags. */
  tagsHash: z.string(),
  /** The first scheduled time whose run was not looked for yet; absent if the tags cannot be followed. */
  next: z.optional(z.string()),
  /** When it was found or, later, last reported that the tags cannot be followed; absent if they can. */
  brokenReported: z.optional(z.iso.datetime()),
  /** The newest dump or evidence that was found. */
  newest: z.optional(storedDump),
  /** The others of its run; absent if the secret is not known to have several databases. */
  others: z.optional(z.readonly(z.array(storedDump))),
  arrears: z.optional(arrearsSchema),
};

const watchSchema = z.readonly(
  z.object({
    ...ofRuns,
    /** When the buckets were last searched for its dumps; absent if that was before this was remembered, or never. */
    searched: z.optional(z.iso.datetime()),
    /** What the run of the newest dump has, if databases are missing. */
    incomplete: z.optional(incompleteSchema),
    /** Bytes of its last dumps, those of a run together, oldest first. The last are those of the newest. */
    sizes: z.optional(z.readonly(z.array(z.number()))),
    /** The manifest that was read last; of several databases, those of their run together. */
    manifest: z.optional(manifestSchema),
    /** The day, in UTC, on which that failed: `2026-11-22`. Absent if it did not, or another try is no use. */
    manifestRead: z.optional(z.string()),
    /**
     * Of each database, the dump whose rows were last compared with those of the one before, or are the first to be
     * compared with. Memories of earlier versions have a single dump, without a list.
     */
    compared: z.optional(
      z.union([
        z.readonly(z.array(storedDump)),
        z.pipe(
          storedDump,
          z.transform((dump) => [dump]),
        ),
      ]),
    ),
    /** The tables whose rows vanished, and are not back; absent if there is none. */
    vanished: z.optional(vanishedSchema),
  }),
);

/** Dumps or drills of one secret of which nothing is there although it should be by now, and nothing later either. */
export type Arrears = z.infer<typeof arrearsSchema>;

/** Databases that a run has dumped, and those that it has not. */
export type Incomplete = z.infer<typeof incompleteSchema>;

/**
 * What Freshness remembers of the dumps or the drills of a secret. Times are in the format of
 * {@link ExecutionInput.when}, unless noted.
 */
export type RunsWatch = Pick<Watch, keyof typeof ofRuns>;

/** Tables of one secret whose rows vanished. */
export type Vanished = z.infer<typeof vanishedSchema>;

/** What it remembers of the dumps of a secret. */
export type Watch = z.infer<typeof watchSchema>;

/** What it remembers of the drills of a secret. */
export type DrillWatch = z.infer<typeof drillWatchSchema>;

const drillWatchSchema = z.readonly(
  z.object({
    ...ofRuns,
    /** The evidence that was read last; of several databases, that of their drill together. */
    evidence: z.optional(evidenceSchema),
    /** The day, in UTC, on which that failed. Absent if it did not, or another try is no use. */
    evidenceRead: z.optional(z.string()),
  }),
);

const readsSchema = z.readonly(z.object({ day: z.string(), count: z.number() }));

const memorySchema = z.object({
  version: z.literal(1),
  secrets: z.record(z.string(), watchSchema),
  /** Memories of earlier versions lack it. */
  drills: z._default(z.record(z.string(), drillWatchSchema), {}),
  manifestReads: z.optional(readsSchema),
});

/** What the manifest of a dump says, as far as the status shows it. */
export type DumpManifest = z.infer<typeof manifestSchema>;

/** What the evidence of a drill says, as far as the status shows it. */
export type DrillEvidence = z.infer<typeof evidenceSchema>;

/** How many manifests and evidence were read on a day: `2026-11-22`, in UTC. */
export type ManifestReads = z.infer<typeof readsSchema>;

export interface Memory {
  /**
   * What Freshness remembers of the dumps of each secret, by its ARN. Without it every secret counts as newly tagged,
   * so that nothing is overdue until its next scheduled time.
   */
  readonly watches: ReadonlyMap<string, Watch>;
  /** The same of their drills. */
  readonly drills: ReadonlyMap<string, DrillWatch>;
  readonly manifestReads?: ManifestReads | undefined;
}

/** @throws {Error} if the text was not written by {@link writeMemory} */
export function readMemory(text: string): Memory {
  const { secrets, drills, manifestReads } = memorySchema.parse(JSON.parse(text));
  return { watches: new Map(Object.entries(secrets)), drills: new Map(Object.entries(drills)), manifestReads };
}

/** Serializes to JSON. */
export function writeMemory({ watches, drills: drillWatches, manifestReads }: Memory): string {
  const [secrets, drills] = [Object.fromEntries(watches), Object.fromEntries(drillWatches)];
  return JSON.stringify({ version: 1, secrets, drills, manifestReads } satisfies z.infer<typeof memorySchema>);
}
