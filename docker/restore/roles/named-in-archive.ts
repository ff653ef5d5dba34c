import pg from 'pg';
import type { Role } from '../../postgres/needs/role-needs.ts';
import type { ArchiveObject } from '../stored-dump/table-of-contents.ts';

/** A name that pg_dump does not quote, unless it is a keyword. */
const PLAIN = /^[a-z_][a-z0-9_]*$/;

function isNamedIn(statement: string, role: string): boolean {
  return PLAIN.test(role)
    ? new RegExp(`(?<![\\w$])${role}(?![\\w$])`).test(statement)
    : statement.includes(pg.escapeIdentifier(role));
}

/**
 * Roles without their use by policies and user mappings, if the archive has none of those that name them: the manifest
 * says what the whole database needs. A policy that has the name elsewhere counts as well.
 */
export function usedInArchive(
  roles: readonly Role[],
  objects: readonly Pick<ArchiveObject, 'kind' | 'name' | 'definition'>[],
): readonly Role[] {
  const policies = objects.filter(({ kind }) => kind === 'POLICY');
  const mappings = objects.filter(({ kind }) => kind === 'USER MAPPING');
  const isUnused = (use: string, role: string): boolean =>
    (use === 'policies' && !policies.some(({ definition }) => isNamedIn(definition, role))) ||
    (use === 'user mappings' && !mappings.some(({ name }) => name.startsWith(`USER MAPPING ${role} SERVER `)));
  return roles.map((role) => ({ ...role, uses: role.uses.filter((use) => !isUnused(use, role.name)) }));
}
