import type { Role } from '../../../docker/postgres/needs/role-needs.ts';

/** What a role has that was created without any attributes. */
export const PLAIN_ROLE = {
  login: false,
  inherit: true,
  superuser: false,
  createDatabase: false,
  createRole: false,
  replication: false,
  bypassRowSecurity: false,
  connectionLimit: -1,
  validUntil: null,
  memberOf: [],
  settings: [],
  comment: null,
  securityLabels: [],
  parameters: [],
} as const satisfies Omit<Role, 'name' | 'uses'>;
