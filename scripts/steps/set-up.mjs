// All steps of set-up in their order; each can be cut off and is simply made again next time.
import { rmSync } from 'node:fs';
import { builtProgram } from './built-program.mjs';
import { debianPackages } from './debian-packages.mjs';
import { npmPackages } from './npm-packages.mjs';
import { logFile } from './paths.mjs';
import { prismaClient } from './prisma-client.mjs';
import { privateAsterisk } from './private-asterisk.mjs';
import { runSteps } from './step.mjs';

/**
 * Makes what is missing. `quiet` leaves out the steps with nothing to do; `build` is left out by
 * scripts that run the sources themselves.
 */
export async function setUp({ quiet = false, build = true } = {}) {
  // The log tells of this run only, so it cannot grow without end.
  rmSync(logFile, { force: true });
  const steps = [debianPackages, privateAsterisk, npmPackages, prismaClient];
  await runSteps(build ? [...steps, builtProgram] : steps, { quiet });
}
