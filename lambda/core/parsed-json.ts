/** A text of a service that is usually JSON. @returns undefined for any other text, or none */
export function parsedJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
