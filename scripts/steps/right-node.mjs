// Finds a Node that Gatehouse runs on, and that Node's C++ headers; both come from npm if need be.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cache } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** Taken where the machine's own Node is too old. */
const ownVersion = '24.21.0';

/** True for a Node that every dependency supports: 20.19 and later of 20, 22.12 and later. */
export function isRightNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major === 20) return minor >= 19;
  return major === 22 ? minor >= 12 : major > 22;
}

/** How npm is started: the one that started us, else the one in the path. */
export function npmCommand() {
  const started = process.env.npm_execpath;
  const usable = started?.endsWith('npm-cli.js') && existsSync(started);
  return usable ? [process.execPath, started] : ['npm'];
}

/** A Node of this version below .cache/, as npm ships it: {node, prefix} with prefix/include. */
function nodeFromNpm(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const place = join(cache, `node-${version}`);
  const prefix = join(place, 'node_modules', name);
  const node = join(prefix, 'bin/node');
  if (!existsSync(node)) {
    // Its binary lies in the package itself: no install script is needed, so none may run.
    const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts'];
    runCommand([...npmCommand(), 'install', '--prefix', place, ...quiet, `${name}@${version}`]);
  }
  return { node, prefix };
}

/** The command and environment of the Node to go on under; undefined where ours is right. */
export function otherNode() {
  if (isRightNode(process.versions.node)) return undefined;
  process.stdout.write(
    `  Node ${process.versions.node} is too old: going on under Node ${ownVersion} from npm\n`,
  );
  const { node } = nodeFromNpm(ownVersion);
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  return { node, env: { ...process.env, PATH: path } };
}

function headersVersion(prefix) {
  const file = join(prefix, 'include/node/node_version.h');
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const part = (name) => new RegExp(`^#define NODE_${name}_VERSION (\\d+)`, 'm').exec(text)?.[1];
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}

/**
 * The folder that holds include/node of exactly the running Node: beside its binary, else from the
 * npm package of that version. So a compile never downloads headers from anywhere else.
 */
export function headersFolder() {
  const { node: version } = process.versions;
  const beside = dirname(dirname(process.execPath));
  return headersVersion(beside) === version ? beside : nodeFromNpm(version).prefix;
}
