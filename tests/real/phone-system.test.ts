// The conformance suite of the PhoneSystem port on a real Asterisk with SIPp at both far ends.
import { join } from 'node:path';
import { realClock } from '../../src/clock.ts';
import { agentToneHz, carrierToneHz } from '../../src/telephony/asterisk/demo-peers.ts';
import { carrierDigits } from '../../src/telephony/asterisk/sipp-scenarios.ts';
import type { PhoneSystem } from '../../src/telephony/phone-system.ts';
import { FactLog, type PhoneRig } from '../conformance/phone-rig.ts';
import { phoneSystemConformance } from '../conformance/phone-system.ts';
import { extensions, openAsteriskRig, trunk } from '../peers/asterisk-rig.ts';
import { readParty } from '../peers/tones.ts';

async function openPhoneRig(): Promise<PhoneRig> {
  const rig = await openAsteriskRig();
  const facts = new FactLog(realClock);
  let phone: PhoneSystem = rig.connect();
  const begin = () => phone.start((fact) => facts.hear(fact));
  await begin();
  const links = { ami: rig.amiLink, ari: rig.ariLink };
  const party = (callId: string, letter: 'c' | 'a') =>
    readParty(join(rig.recordings, `${callId}-${letter}.wav`), carrierToneHz, agentToneHz);
  return {
    get phone() {
      return phone;
    },
    facts,
    trunk,
    messageSound: 'vm-goodbye',
    longSound: 'demo-congrats',
    number: (farEnd) => `+1202555010${carrierDigits[farEnd]}`,
    extension: (which) => extensions[which],
    async timesCalled(number) {
      const lines = await rig.carrier.account();
      return lines.filter((line) => line.what === 'invited' && `+${line.number}` === number).length;
    },
    killMortalPhone: () => rig.mortal.stop('SIGKILL'),
    cut: (feed) => links[feed].cut(),
    heal: (feed) => links[feed].heal(),
    async crash() {
      process.kill(rig.asterisk.pid() ?? 0, 'SIGKILL');
    },
    daemonLeaves: () => phone.stop(),
    async daemonReturns() {
      phone = rig.connect();
      await begin();
    },
    pass: (ms) =>
      new Promise((resolve) => {
        realClock.after(ms, resolve);
      }),
    recordings: async (callId) => ({
      customer: await party(callId, 'c'),
      agent: await party(callId, 'a'),
    }),
    async close() {
      await phone.stop();
      await rig.close();
    },
  };
}

phoneSystemConformance('Asterisk', openPhoneRig);
