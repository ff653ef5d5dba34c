import { z } from 'zod';
import type { Purpose } from '../../workload/random-tags.ts';

const instant = z.iso.datetime().transform((text) => Date.parse(text));

const missingSchema = z.object({ first: instant, last: instant, count: z.number() });

const newestSchema = z.object({ key: z.string() }).transform(({ key }) => timeOf(key));

/** A report of missing dumps, as documented: an event with the source `autodump`. Those of drills say so. */
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

const PREFIX = 'drill ';

export type Report = z.infer<typeof reportSchema> & { readonly purpose: Purpose };

/** Something is missing. */
export type MissingReport = Extract<Report, { kind: 'overdue' | 'late' | 'lost' }>;

/** @throws {z.ZodError} if it is not one of the documented reports */
export function parseReport(detail: unknown): Report {
  const { kind, ...fields } = z.looseObject({ kind: z.string() }).parse(detail);
  const isDrill = kind.startsWith(PREFIX);
  const report = reportSchema.parse({ ...fields, kind: isDrill ? kind.slice(PREFIX.length) : kind });
  return { ...report, purpose: isDrill ? 'drill' : 'dump' };
}

/** The scheduled time in the key of a dump, or of the evidence of a drill. */
function timeOf(key: string): number {
  const time = /^.*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:\.dmp|\.json)$/;
  return Date.parse(key.replace(time, '$1-$2-$3T$4:$5:$6Z'));
}
