import * as z from 'zod/mini';

const storedDump = z.readonly(z.object({ bucket: z.string(), key: z.string() }));

const manifestSchema = z.readonly(
  z.object({
    /** Scheduled time of the dump that it belongs to. */
    scheduledFor: z.string(),
    /** The database that was dumped. Manifests that were read by earlier versions lack it. */
    host: z.optional(z.string()),
    database: z.optional(z.string()),
    rows: z.optional(z.number()),
    rowsAre: z.optional(z.enum(['counted', 'estimated'])),
    seconds: z.optional(z.number()),
    /** Why it could not be read. */
    problem: z.optional(z.string()),
  }),
);

const arrearsSchema = z.readonly(
  z.object({
    /** The scheduled times whose dumps are missing: the first, the last and how many. */
    first: z.string(),
    last: z.string(),
    count: z.number(),
    /** `late`: the last one's run is still going. `overdue`: none is. */
    kind: z.enum(['late', 'overdue']),
    /** When this was last reported. */
    reported: z.iso.datetime(),
  }),
);

const watchSchema = z.readonly(
  z.object({
    /** What is remembered is about these tags. */
    tagsHash: z.string(),
    /** The first scheduled time whose dump was not looked for yet; absent if the tags cannot be followed. */
    next: z.optional(z.string()),
    /** When it was found or, later, last reported that the tags cannot be followed; absent if they can. */
    brokenReported: z.optional(z.iso.datetime()),
    /** When the buckets were last searched for its dumps; absent if that was before this was remembered, or never. */
    searched: z.optional(z.iso.datetime()),
    /** The newest dump that was found then. */
    newest: z.optional(storedDump),
    /** Bytes of its last dumps, oldest first. The last are those of the newest. */
    sizes: z.optional(z.readonly(z.array(z.number()))),
    /** The manifest that was read last. */
    manifest: z.optional(manifestSchema),
    /** The day, in UTC, on which that failed: `2026-11-22`. Absent if it did not, or another try is no use. */
    manifestRead: z.optional(z.string()),
    /** The dump whose rows were last compared with those of the one before, or are the first to compare with. */
    compared: z.optional(storedDump),
    arrears: z.optional(arrearsSchema),
  }),
);

/** Dumps of one secret that are not there although their time to be has come, and no later dump either. */
export type Arrears = z.infer<typeof arrearsSchema>;

/** What Freshness remembers of a secret. Times are in the format of {@link ExecutionInput.when}, unless noted. */
export type Watch = z.infer<typeof watchSchema>;

const readsSchema = z.readonly(z.object({ day: z.string(), count: z.number() }));

const memorySchema = z.object({
  version: z.literal(1),
  secrets: z.record(z.string(), watchSchema),
  manifestReads: z.optional(readsSchema),
});

/** What the manifest of a dump says, as far as the status shows it. */
export type DumpManifest = z.infer<typeof manifestSchema>;

/** How many manifests were read on a day: `2026-11-22`, in UTC. */
export type ManifestReads = z.infer<typeof readsSchema>;

export interface Memory {
  /**
   * What Freshness remembers of each secret, by its ARN. Without it every secret counts as newly tagged, so that
   * nothing is overdue until its next scheduled time.
   */
  readonly watches: ReadonlyMap<string, Watch>;
  readonly manifestReads?: ManifestReads | undefined;
}

/** @throws {Error} if the text was not written by {@link writeMemory} */
export function readMemory(text: string): Memory {
  const { secrets, manifestReads } = memorySchema.parse(JSON.parse(text));
  return { watches: new Map(Object.entries(secrets)), manifestReads };
}

/** Serializes to JSON. */
export function writeMemory({ watches, manifestReads }: Memory): string {
  const secrets = Object.fromEntries(watches);
  return JSON.stringify({ version: 1, secrets, manifestReads } satisfies z.infer<typeof memorySchema>);
}
