import { z } from 'zod';

export const settingSchema = z.object({
  name: z.string(),
  value: z.string().nullable().describe('null for names with a dot, whose values may be secret'),
});

export type Setting = z.infer<typeof settingSchema>;

/**
 * Reads a setting as the server keeps it. Names with a dot are of extensions and of applications, which keep keys in
 * them, as PostgREST does in `app.settings.jwt_secret`. A manifest is read and passed on more freely than a dump.
 */
export function settingOf(text: string): Setting {
  const end = text.indexOf('=');
  const name = text.slice(0, end);
  return { name, value: name.includes('.') ? null : text.slice(end + 1) };
}
