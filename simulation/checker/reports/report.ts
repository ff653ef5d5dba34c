import { z } from 'zod';

const instant = z.iso.datetime().transform((text) => Date.parse(text));

const missingSchema = z.object({ first: instant, last: instant, count: z.number() });

const newestSchema = z.object({ key: z.string() }).transform(({ key }) => timeOfDump(key));

/** A report of missing dumps, as documented: an event with the source `autodump`. */
const reportSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['overdue', 'late', 'lost']),
    secret: z.string(),
    missing: missingSchema,
    newest: newestSchema.optional(),
  }),
  z.object({ kind: z.literal('caught up'), secret: z.string(), missing: missingSchema, newest: newestSchema }),
  z.object({ kind: z.literal('broken tags'), secret: z.string() }),
]);

export type Report = z.infer<typeof reportSchema>;

/** Something is missing. */
export type MissingReport = Extract<Report, { kind: 'overdue' | 'late' | 'lost' }>;

/** @throws {z.ZodError} if it is not one of the documented reports */
export function parseReport(detail: unknown): Report {
  return reportSchema.parse(detail);
}

/** The scheduled time in the key of a dump. */
function timeOfDump(key: string): number {
  return Date.parse(key.replace(/^.*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.dmp$/, '$1-$2-$3T$4:$5:$6Z'));
}
