import * as z from 'zod/mini';

/** What was reported of a secret. */
export interface Standing {
  /** Ends of executions that were reported, the latest last. */
  readonly ends: readonly string[];
  /** The last failure that no good dump has followed. */
  readonly failure?: { readonly scheduled?: string | undefined } | undefined;
}

/** How many ends are remembered: events may come twice, and in another order. */
const MAX_ENDS = 20;

const schema: z.ZodMiniType<Standing> = z.object({
  ends: z.array(z.string()),
  failure: z.optional(z.object({ scheduled: z.optional(z.string()) })),
});

/** @throws {Error} if the text is not one that was written */
export function readStanding(text: string | undefined): Standing {
  return text === undefined ? { ends: [] } : schema.parse(JSON.parse(text));
}

export function writeStanding({ ends, failure }: Standing): string {
  return JSON.stringify({ ends: ends.slice(-MAX_ENDS), failure } satisfies Standing);
}
