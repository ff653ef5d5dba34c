/** What `parseArgs` of Node.js says of arguments that it does not take, without its examples. */
export function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, option] = /use '(--[\w-]+)=-XYZ'/.exec(message) ?? [];
  if (option !== undefined) {
    return `${option} needs a value. One that begins with a dash follows an equals sign: ${option}=-1.`;
  }
  const [problem = ''] = message.split(/(?<=\.) To specify/);
  return problem.replace(/[^.]$/, '$&.');
}
