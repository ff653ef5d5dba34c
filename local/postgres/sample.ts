import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { temporaryFolder } from '../host/temporary-folder.ts';
import type { Database } from './database.ts';
import { startPostgres } from './server.ts';

const NAME = 'shop';
const OWNER = 'shop_owner';

/** A small web shop: 5,000 customers, 20,000 orders, 60,000 order items. */
const SCHEMA = `
  create table customer (
    id integer generated always as identity primary key,
    name text not null,
    email text not null unique,
    since date not null,
    preferences jsonb not null default '{}'
  );
  create table product (
    id integer generated always as identity primary key,
    name text not null,
    price numeric(8, 2) not null check (price >= 0),
    picture bytea
  );
  create sequence invoice_number start 20260001;
  create table purchase (
    id integer generated always as identity primary key,
    customer_id integer not null references customer,
    invoice bigint not null unique default nextval('invoice_number'),
    placed timestamptz not null
  );
  create table item (
    purchase_id integer not null references purchase,
    line smallint not null,
    product_id integer not null references product,
    quantity integer not null check (quantity > 0),
    primary key (purchase_id, line)
  );
  create index on purchase (customer_id, placed);

  insert into customer (name, email, since, preferences)
    select 'Customer ' || n || ' Ü', 'customer' || n || '@example.com', date '2020-01-01' + n % 2000,
           jsonb_build_object('newsletter', n % 3 = 0, 'languages', jsonb_build_array('de', 'en'))
      from generate_series(1, 5000) n;
  insert into product (name, price, picture)
    select 'Product ' || n, n % 500 + 0.99, decode(repeat(md5(n::text), 8), 'hex') from generate_series(1, 500) n;
  insert into purchase (customer_id, placed)
    select n % 5000 + 1, timestamptz '2025-01-01 00:00Z' + n * interval '23 minutes' from generate_series(1, 20000) n;
  insert into item (purchase_id, line, product_id, quantity)
    select p, l, (p * 7 + l * 13) % 500 + 1, (p + l) % 4 + 1
      from generate_series(1, 20000) p, generate_series(1, 3) l;

  create view turnover as
    select date_trunc('month', placed) as month, sum(quantity * price) as amount
      from purchase join item on purchase_id = purchase.id join product on product_id = product.id
     group by 1;
`;

export interface SampleDatabase extends Database {
  readonly serverVersion: string;
  readonly orderItems: number;
  /** Stops the server and deletes its files. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL server with a sample database, and an owner who can dump it without being a superuser. */
export async function startSample(): Promise<SampleDatabase> {
  // Not in the state directory: started as root, the server runs as a user who may have no access there.
  const [folder, removeFiles] = await temporaryFolder('sample');
  try {
    await chmod(folder, 0o711);
    const server = await startPostgres({ directory: join(folder, 'server') });
    const { host, port, user, password } = server;
    const stopAll = async (): Promise<void> => {
      await server.stop();
      await removeFiles();
    };
    try {
      const owner = { host, port, user: OWNER, password: randomBytes(18).toString('base64url'), database: NAME };
      await query({ host, port, user, password, database: 'postgres' }, [
        `create role ${OWNER} login password '${owner.password}'`,
        `create database ${NAME} owner ${OWNER}`,
      ]);
      const counted = 'select count(*)::int as rows, current_setting($$server_version$$) as version from item';
      const [, rows] = await query(owner, [SCHEMA, counted]);
      const [{ rows: count, version } = { rows: 0, version: '' }] = rows as { rows: number; version: string }[];
      return { ...owner, serverVersion: version, orderItems: count, stop: stopAll };
    } catch (error) {
      await stopAll();
      throw error;
    }
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

async function query(database: Database, statements: readonly string[]): Promise<readonly unknown[][]> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    const results: unknown[][] = [];
    for (const statement of statements) {
      results.push((await client.query<Record<string, unknown>>(statement)).rows);
    }
    return results;
  } finally {
    await client.end();
  }
}
