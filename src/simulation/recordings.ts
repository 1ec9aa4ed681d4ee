// The simulated spool and vault: raw recordings of the phone world, judged like real ones, sealed.
import { hash } from 'node:crypto';
import { pause } from '../clock.ts';
import type { Database } from '../store/database.ts';
import {
  judgeLegs,
  type LegName,
  type LegState,
  type QuarantineReason,
  samplesPerSecond,
} from '../telephony/recording.ts';
import type { Recordings, SealOrder, SealOutcome } from '../telephony/recordings.ts';
import type { Chance } from './chance.ts';
import type { FaultAccount, FaultRates } from './faults.ts';
import type { PhoneWorld, SimulatedRaw } from './phone-world.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Watch } from './world-event.ts';

interface VaultObject {
  readonly recordingId: string;
  settled: boolean;
}

/** Objects by id, and what was put aside; it outlives the daemon. */
export class SimulatedVault {
  readonly objects = new Map<string, VaultObject>();
  readonly quarantine = new Map<string, QuarantineReason>();

  settle(objectId: string): void {
    const object = this.objects.get(objectId);
    if (object) object.settled = true;
  }

  erase(objectId: string): void {
    this.objects.delete(objectId);
  }

  /** At start: an object that was not recorded goes, for its key died with the daemon. */
  judgeLeftovers(database: Database): void {
    const recorded = database.prepare('SELECT 1 FROM "Recording" WHERE objectId = ?');
    for (const [objectId, { settled }] of this.objects)
      if (!settled && recorded.get(objectId) === undefined) this.objects.delete(objectId);
  }
}

export type DiskFault = 'disk-full' | 'vault-full' | 'spool-gone';

export interface RecordingsParts {
  vault: SimulatedVault;
  world: PhoneWorld;
  clock: VirtualClock;
  chance: Chance;
  account: FaultAccount;
  rates: FaultRates;
  watch: Watch;
  /** What is wrong with the disks now. */
  diskFault(): DiskFault | undefined;
  /** False once the daemon that holds this port is dead. */
  alive(): boolean;
}

const samplesPerMs = samplesPerSecond / 1_000;
const digest = (text: string) => hash('sha256', text, 'hex');

/** The port of one run of the daemon onto a spool and a vault that outlive it. */
export function simulatedRecordings(parts: RecordingsParts): Recordings {
  const { world, clock, chance, watch } = parts;
  const delay = (ms: number) => pause(clock, ms);
  return {
    async check(callId) {
      await delay(20);
      if (world.raw.has(callId)) return { outcome: 'recording' };
      await delay(480);
      return world.raw.has(callId)
        ? { outcome: 'recording' }
        : { outcome: 'missing', which: 'both' };
    },
    async seal(order) {
      await delay(chance.spanMs(30, 230));
      // A worker of a dead daemon is dead as well: nobody hears what it did.
      if (!parts.alive()) return new Promise(() => {});
      return seal(parts, order);
    },
    async discardRaw(recordingId) {
      await delay(2);
      if (!parts.alive()) return new Promise(() => {});
      const raw = world.raw.get(recordingId);
      world.raw.delete(recordingId);
      if (raw) watch({ kind: 'raw-removed', recordingId, open: raw.open });
      return { outcome: 'discarded' };
    },
    async eraseQuarantined() {
      // What is put aside here has lost both legs: there is nothing of it.
      await delay(2);
    },
    async survey() {
      await delay(2);
      if (parts.diskFault() === 'spool-gone') return { outcome: 'unreadable', detail: 'simulated' };
      const recordings = [...world.raw].map(([recordingId, raw]) => ({
        recordingId,
        legs: ['customer', 'agent'] as const,
        sizeBytes: Math.round(raw.spanMs) * samplesPerMs * 4 + 88,
        finished: !raw.open && raw.lostMs === undefined,
      }));
      return { outcome: 'surveyed', recordings };
    },
    async room() {
      await delay(1);
      const unsealed = world.raw.size;
      const spool = { spoolHours: 500, vaultHours: 5_000, unsealed };
      switch (parts.diskFault()) {
        case 'disk-full':
          return { ...spool, spoolHours: 0 };
        case 'vault-full':
          return { ...spool, vaultHours: 0 };
        case 'spool-gone':
          return { ...spool, spoolHours: 0, fault: 'simulated' };
        default:
          return spool;
      }
    },
  };
}

/** A leg as it lies in the spool; one that nobody closed states no length. */
function legOf(raw: SimulatedRaw | undefined, which: LegName, nowMs: number): LegState {
  const damage = raw?.damage?.[which];
  if (!raw || damage !== undefined) return { state: damage ?? 'absent' };
  const spanMs = raw.open ? nowMs - raw.sinceMs : raw.spanMs - (raw.lostMs ?? 0);
  const state = raw.open || raw.lostMs !== undefined ? 'open' : 'closed';
  return { state, samples: Math.round(spanMs * samplesPerMs) };
}

function seal(parts: RecordingsParts, order: SealOrder): SealOutcome {
  const { recordingId, spanMs, crashed, leastMs } = order;
  const { vault, world, clock, chance, account, rates, watch } = parts;
  const aside = vault.quarantine.get(recordingId);
  if (aside !== undefined) return { outcome: 'quarantined', why: aside };
  const disk = parts.diskFault();
  if (disk !== undefined) {
    const why = disk === 'spool-gone' ? 'spool-unreadable' : 'disk-full';
    return { outcome: 'failed', why, detail: 'simulated' };
  }
  if (!account.ended && chance.hits(rates.sealFailsPermille)) {
    account.note('seal-fails');
    return { outcome: 'failed', why: 'worker-died', detail: 'simulated' };
  }
  const raw = world.raw.get(recordingId);
  const leg = (which: LegName) => legOf(raw, which, clock.uptimeMs);
  const legs = { customer: leg('customer'), agent: leg('agent') };
  const judged = judgeLegs(legs, spanMs, crashed, leastMs);
  if (judged.verdict === 'not-finished') return { outcome: 'not-finished' };
  if (judged.verdict === 'quarantine') {
    world.raw.delete(recordingId);
    vault.quarantine.set(recordingId, judged.why);
    return { outcome: 'quarantined', why: judged.why };
  }
  const { customerSamples, agentSamples, durationMs, repaired, lostMs } = judged;
  const objectId = digest(`cipher ${recordingId}`);
  vault.objects.set(objectId, { recordingId, settled: false });
  watch({ kind: 'stored', recordingId, durationMs });
  return {
    outcome: 'sealed',
    objectId,
    plainSha256: digest(`flac ${recordingId}`),
    cipherSha256: objectId,
    plainBytes: customerSamples,
    iv: digest(`iv ${recordingId}`).slice(0, 32),
    wrappedKey: digest(`key ${recordingId}`),
    keyId: 'key-simulated',
    customerPcmSha256: digest(`customer ${recordingId}`),
    customerSamples,
    agentPcmSha256: digest(`agent ${recordingId}`),
    agentSamples,
    durationMs,
    repaired,
    lostMs,
  };
}
