import type { AppOnPostgres } from '../../support/app-on-postgres.ts';
import { AppWorld, changed } from '../../support/app-world.ts';

/** An action in the policy at a path in the stack. */
export interface Permission {
  readonly path: string;
  readonly action: string;
}

interface Document {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** Starts the app without some of its permissions. */
export async function without(
  { cdkOut, folder, server }: AppOnPostgres,
  ...permissions: readonly Permission[]
): Promise<AppWorld> {
  const less = await changed(cdkOut, folder, ({ Resources }) => ({
    Resources: Object.fromEntries(
      Object.entries(Resources).map(([id, resource]) => [
        id,
        permissions.filter(({ path }) => isAt(resource, path)).reduce(removeAction, resource),
      ]),
    ),
  }));
  return AppWorld.start(less, folder, server);
}

function isAt(resource: object, path: string): boolean {
  const { Metadata } = resource as { Metadata?: Record<string, string> };
  return Metadata?.['aws:cdk:path'] === `AutoDump/${path}/Resource`;
}

function removeAction<T extends { readonly Properties?: object }>(resource: T, { action }: Permission): T {
  const { PolicyDocument, ...properties } = resource.Properties as { PolicyDocument: Document };
  const Statement = PolicyDocument.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((it) => it !== action),
  })).filter(({ Action }) => Action.length > 0);
  return { ...resource, Properties: { ...properties, PolicyDocument: { ...PolicyDocument, Statement } } };
}
