/** A time of the virtual clock as people read it: UTC, whole seconds. */
export function iso(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
