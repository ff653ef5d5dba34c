import type { Client } from 'pg';

/** The tables' shares of all rows. */
const SHARES = {
  several: [0.26, 0.22, 0.16, 0.12, 0.1, 0.08, 0.05, 0.01],
  huge: [0.9, 0.03, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01],
} as const;

export type Shape = keyof typeof SHARES;

export const SHAPES = Object.keys(SHARES) as readonly Shape[];

/** Approximate size on disk of a row with its index entry. */
const ROW_BYTES = 199;

/**
 * Creates tables of about that many bytes in total. Their contents are always the same: numbers, times, words of a
 * small vocabulary and a few random digits, so that they compress to about a quarter, like business data.
 */
export async function fill(client: Client, bytes: number, shape: Shape): Promise<void> {
  const words = `ARRAY['order','shipped','pending','customer','returned','invoice','north','south','warehouse','express']`;
  const word = (shift: number) => `(${words})[1 + abs(hashint8(i + ${shift}) % 10)]`;
  for (const [index, share] of SHARES[shape].entries()) {
    const table = index + 1;
    const rows = Math.ceil((bytes * share) / ROW_BYTES);
    await client.query(
      `CREATE UNLOGGED TABLE movements_${table} AS
       SELECT i AS id, timestamptz '2020-01-01 00:00:00Z' + i * interval '7 seconds' AS at,
         hashint8(i * ${table}) % 100000 AS customer, (hashint8(i) % 1000000) / 100.0 AS amount,
         concat_ws(' ', ${Array.from({ length: 12 }, (_, index) => word(index * 1000)).join(', ')}) AS note,
         substr(md5(i::text), 1, 12) AS reference
       FROM generate_series(${table}::bigint * 1000000000, ${table}::bigint * 1000000000 + ${rows - 1}) i`,
    );
    await client.query(`ALTER TABLE movements_${table} ADD PRIMARY KEY (id)`);
  }
  // Otherwise autovacuum would do so during the measurements.
  await client.query('VACUUM ANALYZE');
}
