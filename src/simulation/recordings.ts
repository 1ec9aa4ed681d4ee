// The simulated spool and vault: raw recordings of the phone world, sealed or failing.
import { createHash } from 'node:crypto';
import type { Ids } from '../ids.ts';
import type { Recordings, SealOutcome } from '../telephony/recordings.ts';
import type { PhoneWorld } from './phone-world.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface RecordingFaults {
  sealFailsPermille: number;
  /** Per thousand looks at the disks: the look finds them full. */
  diskFullPermille: number;
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is in the simulated vault, for the checkers: recording id → times it was put there. */
export type SimulatedVault = Map<string, number>;

/** The port of one run of the daemon onto a spool and vault that outlive it. */
export function simulatedRecordings(
  clock: VirtualClock,
  ids: Ids,
  world: PhoneWorld,
  vault: SimulatedVault,
  faults: RecordingFaults,
  alive: () => boolean,
): Recordings {
  const delay = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const fault = (kind: string, permille: number) => {
    if (ids.below(1000) >= permille) return false;
    world.count(kind);
    return true;
  };
  return {
    async check(callId) {
      await delay(20);
      if (world.raw.has(callId) || vault.has(callId)) return { outcome: 'recording' };
      await delay(480);
      return { outcome: 'missing', which: 'both' };
    },
    async seal({ recordingId }): Promise<SealOutcome> {
      await delay(30 + ids.below(200));
      if (!alive()) return new Promise(() => {});
      if (fault('seal-fails', faults.sealFailsPermille)) {
        return { outcome: 'failed', why: 'vault-failed', detail: 'simulated' };
      }
      const raw = world.raw.get(recordingId);
      if (!raw) return { outcome: 'quarantined', why: 'both-legs-missing' };
      if (raw.open) return { outcome: 'not-finished' };
      vault.set(recordingId, (vault.get(recordingId) ?? 0) + 1);
      const samples = Math.max(1, raw.spanMs) * 8;
      return {
        outcome: 'sealed',
        objectId: digest(`cipher ${recordingId}`),
        plainSha256: digest(`flac ${recordingId}`),
        cipherSha256: digest(`cipher ${recordingId}`),
        plainBytes: samples,
        iv: digest(`iv ${recordingId}`).slice(0, 32),
        wrappedKey: digest(`key ${recordingId}`),
        keyId: 'key-simulated',
        customerPcmSha256: digest(`customer ${recordingId}`),
        customerSamples: samples,
        agentPcmSha256: digest(`agent ${recordingId}`),
        agentSamples: samples,
        durationMs: Math.max(1, raw.spanMs),
        repaired: raw.crashed,
        lostMs: raw.crashed ? 500 : 0,
      };
    },
    async discardRaw(recordingId) {
      await delay(2);
      if (alive()) world.raw.delete(recordingId);
      return { outcome: 'discarded' };
    },
    async eraseQuarantined() {
      // What is put aside here has lost both legs: there is nothing of it.
      await delay(2);
    },
    async survey() {
      await delay(2);
      const recordings = [...world.raw].map(([recordingId, raw]) => ({
        recordingId,
        legs: ['customer', 'agent'] as const,
        sizeBytes: 44 + raw.spanMs * 16,
        finished: !raw.open,
      }));
      return { outcome: 'surveyed', recordings };
    },
    async room() {
      await delay(1);
      const full = fault('disk-full', faults.diskFullPermille);
      return { spoolHours: full ? 0 : 500, vaultHours: 5_000, unsealed: world.raw.size };
    },
  };
}
