import { z } from 'zod';
import { identifier, literal } from '../names/quoting.ts';

/** A security label, as extensions such as sepgsql and anon read it. */
export const securityLabelSchema = z.object({ provider: z.string(), label: z.string() });

type SecurityLabel = z.infer<typeof securityLabelSchema>;

/** A security label as SQL. @param of what has it: `ROLE "clerk"` */
export function securityLabel(of: string, { provider, label }: SecurityLabel): string {
  return `SECURITY LABEL FOR ${identifier(provider)} ON ${of} IS ${literal(label)};`;
}
