// The description of the API: OpenAPI from the routes' own schemas, and its page at /api/docs.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from './app.ts';

// Everything the page needs comes from here: sites have no internet. Its bundle sets styles by
// script, which needs 'unsafe-inline' for styles and for nothing else.
const pagePolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'connect-src': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
};

/** Has to come before the routes, since it collects them as they are added. */
export async function addDocs(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gatehouse',
        version,
        description: 'The call floor’s API. Orders are JSON; problems are RFC 9457.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    uiConfig: { validatorUrl: null, docExpansion: 'none', deepLinking: true },
    staticCSP: pagePolicy,
  });
}
