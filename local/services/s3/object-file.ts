import { createHash } from 'node:crypto';

/**
 * The relative path of the file for a key: the key itself, so that people find their dumps. The segments that a path
 * cannot have (empty, `.` and `..`) are prefixed with `%`, as does what would otherwise be mistaken for them:
 * `/prod/app` becomes `%/prod/app`. So different keys have different paths, all of them inside the bucket's folder.
 */
export function pathOf(key: string): string {
  return key
    .split('/')
    .map((segment) => (/^%*\.{0,2}$/.test(segment) ? `%${segment}` : segment))
    .join('/');
}

/** A name of fixed length for a key. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Errors of the file system that mean that a key's path is not available: a segment is too long, contains NUL, or is
 * both a file and a folder, as with the keys `a` and `a/b`; or the file system does not distinguish two keys, such as
 * `a` and `A`.
 */
const UNAVAILABLE = new Set(['ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE', 'EEXIST', 'ENOTDIR']);

export function isUnavailable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && UNAVAILABLE.has(String(error.code));
}
