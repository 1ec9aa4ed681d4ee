// How every script begins: in a place and under a Node that fit, and with readable errors.
import { basename, join } from 'node:path';
import { reachablePlace } from './reachable-place.mjs';
import { otherNode } from './right-node.mjs';
import { runInForeground, SetUpError } from './run-command.mjs';

/** The exit code of this same script run elsewhere, or undefined where this place and Node fit. */
async function continueElsewhere(args) {
  const name = basename(process.argv[1]);
  const place = reachablePlace();
  if (place) {
    const command = [process.execPath, join(place, 'scripts', name), ...args];
    return runInForeground(command, { cwd: place });
  }
  const other = otherNode();
  if (!other) return undefined;
  return runInForeground([other.node, process.argv[1], ...args], { env: other.env });
}

/** Runs a script's body `main(args)`, which returns the exit code. */
export async function enter(main) {
  const args = process.argv.slice(2);
  try {
    process.exitCode = (await continueElsewhere(args)) ?? (await main(args));
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`\nset-up stopped: ${error.message}\n`);
    process.exitCode = 1;
  }
}
