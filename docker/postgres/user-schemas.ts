/** SQL condition on pg_namespace: the schemas that are not the system's. */
export const IS_USER_SCHEMA = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;
