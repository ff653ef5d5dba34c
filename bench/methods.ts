/** What can be measured, in its order within a round. */
export const METHODS = [
  'predecessor',
  'raw',
  'directory',
  'file',
  'file without census',
  'stream',
  'stream without census',
  'parallel 2',
  'parallel 4',
  'restore by hand',
  'restore',
] as const;

export type Method = (typeof METHODS)[number];
