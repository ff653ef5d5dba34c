/** What can be measured, in its order within a round. */
export const METHODS = [
  'predecessor',
  'raw',
  'file',
  'file without census',
  'stream',
  'stream without census',
] as const;

export type Method = (typeof METHODS)[number];
