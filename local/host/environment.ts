import { devNull } from 'node:os';

/** Variables of the caller that mean the same to every program. */
const KEPT: ReadonlySet<string> = new Set([
  'PATH',
  'TMPDIR',
  'TERM',
  'COLORTERM',
  'FORCE_COLOR',
  'NO_COLOR',
  'NODE_COMPILE_CACHE',
]);

/** AWS SDKs and CDK find neither credentials nor settings: not in the home folder, and not at the address of EC2. */
export const WITHOUT_AWS = {
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

/**
 * The environment of what runs on this machine: nothing of the caller's with which a library could reach AWS, go
 * through a proxy, or connect to PostgreSQL otherwise than it is told.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.has(name));
  return { ...Object.fromEntries(kept), ...WITHOUT_AWS };
}

/** Where programs find the code that Node.js has compiled before, if the caller has a folder for that. */
export function compileCache(): { readonly NODE_COMPILE_CACHE?: string } {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/** Makes {@link ownEnvironment} the environment of this process, and so of the libraries in it. */
export function forgetCallersEnvironment(): void {
  const own = ownEnvironment();
  for (const name of Object.keys(process.env)) {
    Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, own);
}
