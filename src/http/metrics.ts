// Figures for Prometheus; alone knows prom-client. No label names a person, call or number.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FloorForHttp, LiveMessage } from './floor-port.ts';

const prefix = 'gatehouse_';
/** Answer to bridge: the law's two seconds last, and fine steps where a good system works. */
const bridgeBuckets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];
const loopResolutionMs = 10;
const nsPerS = 1e9;

export interface Metrics {
  /** The text of this moment, in the form of its content type. */
  text(): Promise<string>;
  contentType: string;
  end(): void;
}

/** Counts what happens from now on; gauges are asked for when somebody reads them. */
export function openMetrics(floor: FloorForHttp, version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `${prefix}${name}`, help, labelNames, registers });

  gauge('build_info', 'The running version.', ['version']).set({ version }, 1);
  const calls = new Counter({
    name: `${prefix}calls_total`,
    help: 'Calls that ended, by what became of them.',
    labelNames: ['result'],
    registers,
  });
  const bridge = new Histogram({
    name: `${prefix}answer_to_bridge_seconds`,
    help: 'From the answer of a call until agent and customer hear each other.',
    buckets: bridgeBuckets,
    registers,
  });
  const gauges = gaugesOf(gauge);
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();

  const note = (message: LiveMessage) => {
    if (message.topic !== 'call') return;
    const { outcome, answerToBridgeMs } = message.data;
    if (outcome !== undefined) calls.inc({ result: outcome });
    if (answerToBridgeMs !== undefined) bridge.observe(answerToBridgeMs / 1_000);
  };
  const unsubscribe = floor.live.subscribe(note);

  return {
    contentType: registry.contentType,
    text() {
      gauges.read(floor);
      // What is measured includes the step of measuring itself.
      const delayS = loop.percentile(99) / nsPerS - loopResolutionMs / 1_000;
      gauges.loopDelay.set(Math.max(0, delayS));
      loop.reset();
      return registry.metrics();
    },
    end() {
      unsubscribe();
      loop.disable();
    },
  };
}

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;

/** Gauges of the floor's own figures; an unknown one has no sample, which is not zero. */
function gaugesOf(gauge: MakeGauge) {
  const agents = gauge('agents', 'Agents by state.', ['state']);
  const abandon = gauge('abandon_ratio', 'Abandoned of answered calls, 30 days.');
  const unverified = gauge('recordings_unverified', 'Recordings that are not sealed yet.');
  const days = gauge('storage_days_left', 'Days until a disk is full at this rate.', ['class']);
  const loopDelay = gauge('event_loop_delay_seconds', '99th percentile since the last reading.');
  const read = (floor: FloorForHttp) => {
    const now = floor.figures();
    for (const each of [agents, abandon, days]) each.reset();
    for (const [state, count] of Object.entries(now.agents)) agents.set({ state }, count);
    if (now.abandonShare === undefined) abandon.remove();
    else abandon.set(now.abandonShare);
    unverified.set(now.recordingsUnverified);
    for (const { class: name, daysLeft } of now.storage) days.set({ class: name }, daysLeft);
  };
  return { read, loopDelay };
}
