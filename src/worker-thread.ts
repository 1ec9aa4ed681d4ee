// Starts worker threads from the sources as well as from the built product.
import { type ResourceLimits, Worker } from 'node:worker_threads';

/**
 * Starts the file at `url`; a TypeScript source runs through tsx, a built file as it is. A worker
 * that outgrows `resourceLimits` ends with an `error` event, and only it.
 */
export function startWorker(
  url: URL,
  workerData: unknown,
  resourceLimits: ResourceLimits = {},
): Worker {
  const execArgv = url.pathname.endsWith('.ts') ? { execArgv: ['--import', sourceLoader()] } : {};
  return new Worker(url, { workerData, resourceLimits, ...execArgv });
}

/** `--import tsx` does nothing in a thread whose process runs through tsx itself (4.23.15). */
function sourceLoader(): string {
  const api = import.meta.resolve('tsx/esm/api');
  return `data:text/javascript,import{register}from"${api}";register()`;
}
