// Ports of their own for each rig, so that test files can run side by side on one machine.

/** Rigs of one test file; each has ports of its own, below the range the kernel hands out. */
const rigsInFile = 4;
const portsForRig = 2300;
const filesAtOnce = 2;
const firstPort = 12_000;

let used = 0;

export interface RigPorts {
  ami: number;
  ari: number;
  amiProxy: number;
  ariProxy: number;
  sip: number;
  carrier: number;
  carrierControl: number;
  agents: number;
  agentsControl: number;
  lastAgents: number;
  lastAgentsControl: number;
  rtpFrom: number;
  rtpTo: number;
  carrierMedia: number;
  agentsMedia: number;
}

/** Ports for the next rig of this test file. The pool id tells test files apart. */
export function takePorts(): RigPorts {
  const file = Number(process.env.VITEST_POOL_ID ?? 0) % filesAtOnce;
  const first = firstPort + (file * rigsInFile + (used % rigsInFile)) * portsForRig;
  used += 1;
  return {
    ami: first,
    ari: first + 1,
    amiProxy: first + 2,
    ariProxy: first + 3,
    sip: first + 4,
    carrier: first + 6,
    carrierControl: first + 8,
    agents: first + 10,
    agentsControl: first + 12,
    lastAgents: first + 14,
    lastAgentsControl: first + 16,
    rtpFrom: first + 100,
    rtpTo: first + 899,
    carrierMedia: first + 900,
    agentsMedia: first + 1800,
  };
}
