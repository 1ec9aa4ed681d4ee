// The demo's live view: one block that redraws itself on a terminal, a line now and then elsewhere.
import type { RunningFloor } from '../daemon.ts';
import { windowCounts } from '../telephony/campaign.ts';

export interface Screen {
  draw(elapsedMs: number): void;
  dialed(): number;
  end(): void;
}

const lineEveryMs = 10_000;

export function openScreen(running: RunningFloor, campaignId: string, leads: number): Screen {
  const { floor, real } = running;
  const terminal = process.stdout.isTTY;
  let drawn = 0;
  let lastLineMs = -lineEveryMs;
  const sealed = real.database.prepare(
    `SELECT count(*) FROM "Recording" WHERE state IN ('sealed', 'kept')`,
  );
  const dialedCount = real.database.prepare('SELECT COALESCE(sum(dialed), 0) FROM "CampaignDay"');
  const dialed = () => Number(dialedCount.pluck().get());

  const block = (elapsedMs: number): string[] => {
    const view = floor.telephony.view();
    const agents = [...view.all('Agent')];
    const calls = [...view.all('Call')];
    const count = (...states: string[]) =>
      calls.filter(({ state }) => states.includes(state)).length;
    const pace = view.get('Pace', campaignId);
    const { answered30d, abandoned30d } = windowCounts(view, campaignId, real.world.clock.utcMs());
    const share = answered30d === 0 ? 0 : (100 * abandoned30d) / answered30d;
    const alarms = [...view.all('Alarm')].filter(({ clearedUtcMs }) => clearedUtcMs === undefined);
    const ringing = count('dialing', 'dialed', 'ringing');
    const waiting = count('answered', 'connecting');
    const answers = `${answered30d} answered`;
    const abandoned = `${abandoned30d} abandoned (${share.toFixed(1)} %)`;
    const onTheirWay = [...view.all('Recording')].length;
    const signs = agents.map(({ state }) => signOf[state]).join(' ');
    return [
      `  ${clockText(elapsedMs)}   ${pace?.mode ?? 'waiting'} (${pace?.reason ?? 'starting'})`,
      `  agents     ${signs}   ● talking  ○ ready  ◐ reserved  ✎ wrap-up  – away`,
      `  lines      ${ringing} ringing · ${waiting} waiting · ${count('talking')} talking`,
      `  calls      ${dialed()} of ${leads} dialed · ${answers} · ${abandoned}`,
      `  recordings ${Number(sealed.pluck().get())} sealed · ${onTheirWay} on their way`,
      `  alarms     ${alarms.length === 0 ? 'none' : alarms.map(({ code }) => code).join(', ')}`,
    ];
  };

  return {
    dialed,
    draw(elapsedMs) {
      if (terminal) {
        const up = drawn > 0 ? `\x1b[${drawn}A` : '';
        const lines = block(elapsedMs);
        process.stdout.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
        drawn = lines.length;
      } else if (elapsedMs - lastLineMs >= lineEveryMs) {
        lastLineMs = elapsedMs;
        process.stdout.write(`${block(elapsedMs).join('\n')}\n\n`);
      }
    },
    end() {
      process.stdout.write('\n');
    },
  };
}

const signOf = {
  out: ' ',
  away: '–',
  ready: '○',
  reserved: '◐',
  talking: '●',
  'wrap-up': '✎',
  break: '–',
} as const;

function clockText(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
