import * as z from 'zod/mini';

/** What was last reported of a secret. */
export interface Standing {
  /** ARN of the execution that it was about. */
  readonly execution: string;
  /** Scheduled time of that run. */
  readonly scheduled?: string | undefined;
  /** Whether it was a failure. */
  readonly failing: boolean;
}

const schema: z.ZodMiniType<Standing> = z.object({
  execution: z.string(),
  scheduled: z.optional(z.string()),
  failing: z.boolean(),
});

/** @throws {Error} if the text is not one that was written */
export function readStanding(text: string): Standing {
  return schema.parse(JSON.parse(text));
}

export function writeStanding(standing: Standing): string {
  return JSON.stringify(standing);
}
