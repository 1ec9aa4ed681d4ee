// `npm run bench -- NAME`: runs one benchmark and states its figures in its last line, as JSON.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { idleLoad, judge, type Measured } from './figure.ts';

interface Options {
  seconds?: number;
  import: boolean;
}

// Loaded only when asked for: each reads half of the product.
const benches: Record<string, (options: Options) => Promise<Measured[]>> = {
  bridge: async (options) => (await import('./bridge.ts')).bench(options),
  throughput: async (options) => (await import('./throughput.ts')).bench(options),
  ledger: async () => (await import('./ledger.ts')).bench(),
  import: async () => (await import('./import.ts')).bench(),
  pacing: async () => (await import('./pacing.ts')).bench(),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, import: { type: 'boolean', default: false } },
});
const [name = ''] = positionals;
const run = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (run === undefined) {
  const names = Object.keys(benches).join(', ');
  process.stderr.write(`npm run bench -- NAME [--seconds N] [--import]; NAME is one of ${names}\n`);
  process.exit(2);
}
const [load = Number.NaN] = loadavg();
process.stdout.write(
  `${name}: load average ${load.toFixed(2)} at the start; ` +
    `speeds are judged below ${idleLoad}, shares of a yardstick at any load\n`,
);
const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
const measured = await run({ ...seconds, import: values.import });
const figures = measured.map((each) => judge(each, load));
for (const { name, value, unit, bound, yardstick, ok, spread, judged } of figures) {
  process.stdout.write(
    `${name}: ${value} ${unit} (${spread[0]} to ${spread[1]}), bound ${bound ?? 'none'}, ` +
      `yardstick ${yardstick ?? 'none'}, judged ${judged}: ${ok}\n`,
  );
}
process.stdout.write(`${JSON.stringify({ bench: name, load, figures })}\n`);
