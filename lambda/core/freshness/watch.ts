import * as z from 'zod/mini';

const storedDump = z.readonly(z.object({ bucket: z.string(), key: z.string() }));

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
    /** The newest dump that was seen. */
    newest: z.optional(storedDump),
    arrears: z.optional(arrearsSchema),
  }),
);

/** Dumps of one secret that are not there although their time to be has come, and no later dump either. */
export type Arrears = z.infer<typeof arrearsSchema>;

/** What Freshness remembers of a secret. Times are in the format of {@link ExecutionInput.when}, unless noted. */
export type Watch = z.infer<typeof watchSchema>;

const stateSchema = z.object({ version: z.literal(1), secrets: z.record(z.string(), watchSchema) });

/**
 * What Freshness remembers of each secret, by its ARN. Without it every secret counts as newly tagged, so that nothing is
 * overdue until its next scheduled time.
 */
export type Watches = ReadonlyMap<string, Watch>;

/** @throws {Error} if the text was not written by {@link writeWatches} */
export function readWatches(text: string): Watches {
  return new Map(Object.entries(stateSchema.parse(JSON.parse(text)).secrets));
}

/** Serializes to JSON. */
export function writeWatches(watches: Watches): string {
  const secrets = Object.fromEntries(watches);
  return JSON.stringify({ version: 1, secrets } satisfies z.infer<typeof stateSchema>);
}
