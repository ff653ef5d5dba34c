/**
 * A statement that creates a table `noise`, which takes 7 kB of a dump for each of its rows, since no compression makes
 * it smaller. A table of as many bytes in small rows takes longer to make, to dump and to compare.
 */
export function noise(rows: number): string {
  return `CREATE TABLE noise AS SELECT i, string_agg(encode(sha512((i, j)::text::bytea), 'base64'), '') AS noise
    FROM generate_series(1, ${rows}) i, generate_series(1, 100) j GROUP BY i`;
}
