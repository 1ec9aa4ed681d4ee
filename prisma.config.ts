// Tells Prisma's command line where the schema and the hand-written migrations are.
import { defineConfig } from 'prisma/config';

// biome-ignore lint/style/noDefaultExport: Prisma reads its settings from the default export.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Only the command line reads this; the daemon opens the database that its config names.
  datasource: { url: 'file:./.cache/prisma.db' },
});
